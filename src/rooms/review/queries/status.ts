/** `GET /v1/reviews/status`: what waits and since when, who is at work, and what will be late. */
import type { Query } from '../../../kit/database/pool.ts';
import { rounded } from '../capacity.ts';
import { forecastBreaches } from '../forecast.ts';
import { priorityName } from '../policy.ts';
import { DUE_NEXT_MAX, OFFICERS_MAX, type Status } from '../status.ts';
import {
  countArrivals,
  countOverflow,
  countWaiting,
  listAtWork,
  listDeadlines,
  listDueNext,
  measureHandling,
} from '../store/figures.ts';
import { readPolicy } from '../store/policies.ts';
import { MEASURED_DAYS, paceOf } from './capacity.ts';

/** Cases that a forecast looks at, the most urgent first. */
const FORECAST_CASES_MAX = 20_000;
const HOUR_SECONDS = 3600;

export async function readStatus(query: Query, nowMs: number): Promise<Status> {
  const { policy } = await readPolicy(query);
  const waiting = await countWaiting(query);
  const { officers, decided, named } = await listAtWork(query, OFFICERS_MAX);
  const handling = await measureHandling(query, MEASURED_DAYS);
  const perHour = paceOf(handling, policy.capacity);
  const arrivals = await countArrivals(query);
  const forecast = forecastBreaches(await listDeadlines(query, FORECAST_CASES_MAX), {
    officers,
    handlingSeconds: HOUR_SECONDS / perHour,
    arrivalsPerHour: new Map(arrivals.map(({ priority, perHour }) => [priority, perHour])),
  });
  const overflow = await countOverflow(query, policy.overflow);
  return {
    at: new Date(nowMs).toISOString(),
    waiting,
    due_next: await listDueNext(query, DUE_NEXT_MAX),
    officers_at_work: officers,
    utilisation: officers === 0 ? null : rounded(decided / officers / perHour),
    officers: named.map((one) => ({ ...one, utilisation: rounded(one.decided / perHour) })),
    forecast: forecast.map((row) => ({ ...row, priority: priorityName(row.priority) })),
    overflow: overflow
      .filter(({ cases }) => cases > 0)
      .map(({ rule, cases }) => ({ ...rule, priority: priorityName(rule.priority), cases })),
    measured: {
      days: MEASURED_DAYS,
      decided: handling.decided,
      in_time: handling.in_time,
      handling_seconds: handling.handling_seconds,
      reviews_per_hour: rounded(perHour),
    },
  };
}
