/** `GET /v1/reviews/status`: what waits and since when, who is at work, and what will be late. */

import { z } from 'zod';
import type { Query } from '../../../kit/database/pool.ts';
import { numberParameter } from '../../../kit/words/list-parameters.ts';
import {
  CAPACITY_MAX,
  type Capacity,
  MEASURED,
  type Measured,
  planCapacity,
  rounded,
} from '../capacity.ts';
import { CASE_LIMITS } from '../case.ts';
import { forecastBreaches } from '../forecast.ts';
import { type CapacityPolicy, priorityName, REVIEWS_PER_HOUR } from '../policy.ts';
import { DUE_NEXT_MAX, OFFICERS_MAX, type Status } from '../status.ts';
import {
  countArrivals,
  countOverflow,
  countWaiting,
  listAtWork,
  listDeadlines,
  listDueNext,
  measureHandling,
  measureLoad,
} from '../store/figures.ts';
import { readPolicy } from '../store/policies.ts';

/** Cases that a forecast looks at, the most urgent first. */
const FORECAST_CASES_MAX = 20_000;
const HOUR_SECONDS = 3600;

/** Days whose figures are measured. */
const MEASURED_DAYS = 7;

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
    officers: named.map((officer) => ({
      ...officer,
      utilisation: rounded(officer.decided / perHour),
    })),
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

/** `GET /v1/reviews/capacity?…`; what is absent is measured, or taken from the policy where nothing was. */
export const capacityParameters = z.strictObject({
  officers: numberParameter(
    'integer',
    [0, CAPACITY_MAX.officers],
    'People who review; absent: those who decided within 7 days.',
  ),
  transactions_per_day: numberParameter(
    'number',
    [0, CAPACITY_MAX.transactionsPerDay],
    'Absent: the average of the last 7 whole days.',
  ),
  auto_clear_ratio: numberParameter(
    'number',
    [0, 1],
    'Share without a review; absent: as measured.',
  ),
  reviews_per_hour: numberParameter(
    'number',
    [REVIEWS_PER_HOUR.min, REVIEWS_PER_HOUR.max],
    'Of one officer; absent: by the measured handling time, or as the policy says.',
  ),
  growth: numberParameter(
    'number',
    [0, CAPACITY_MAX.growth],
    'Growth of the transactions in a month; 0.1 is a tenth. Absent: 0.',
  ),
});
type CapacityParameters = z.output<typeof capacityParameters>;

/** `GET /v1/reviews/capacity`: how many officers the reviews take, now and with growth. */
export async function readCapacity(query: Query, given: CapacityParameters): Promise<Capacity> {
  const { capacity } = (await readPolicy(query)).policy;
  const { accepted, cases } = await measureLoad(query, MEASURED_DAYS);
  const handling = await measureHandling(query, MEASURED_DAYS);
  const measuredRatio = accepted === 0 ? 1 : Math.max(0, 1 - cases / accepted);
  const load = {
    transactionsPerDay: given.transactions_per_day ?? accepted / MEASURED_DAYS,
    autoClearRatio: given.auto_clear_ratio ?? measuredRatio,
    officers: given.officers ?? handling.officers,
    growth: given.growth ?? 0,
  };
  const reviews_per_hour = given.reviews_per_hour ?? paceOf(handling, capacity);
  const isKnown: Readonly<Record<Measured, boolean>> = {
    transactions_per_day: accepted > 0,
    auto_clear_ratio: cases >= CASE_LIMITS.handledMin,
    officers: handling.decided >= CASE_LIMITS.handledMin,
    reviews_per_hour: handling.handling_seconds !== null,
  };
  const unknown = MEASURED.filter((name) => given[name] === undefined && !isKnown[name]);
  return planCapacity(load, { ...capacity, reviews_per_hour }, unknown);
}

/** Reviews of one officer an hour: as measured, or as the policy says where too few tell. */
const paceOf = (
  { handling_seconds: seconds }: { readonly handling_seconds: number | null },
  policy: CapacityPolicy,
) => {
  if (seconds === null) return policy.reviews_per_hour;
  const { min, max } = REVIEWS_PER_HOUR;
  return Math.min(max, Math.max(min, HOUR_SECONDS / seconds));
};
