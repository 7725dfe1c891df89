/** `GET /v1/reviews/status`: what waits and since when, who is at work, and what will be late. */
import { z } from 'zod';
import type { Database } from '../../../kit/database/pool.ts';
import { forecastBreaches } from '../forecast.ts';
import { HANDLED_MIN, handlingTime } from '../handling-time.ts';
import { priorityNames, reviewPolicySchema } from '../policy.ts';
import {
  countArrivals,
  countOlder,
  countWaiting,
  listAtWork,
  listDeadlines,
  listDueNext,
  measureHandling,
  type WaitingCases,
} from '../store/figures.ts';
import { readPolicy } from '../store/policies.ts';

type Queries = Pick<Database, 'query'>;

/** Cases that a forecast looks at, the most urgent first. */
const FORECAST_CASES_MAX = 20_000;
/** Days whose figures are measured. */
export const MEASURED_DAYS = 7;
export const HOUR_SECONDS = 3600;
/** Cases that are named one by one, those that are due soonest. */
const DUE_NEXT_MAX = 20;
/** People who are named, the busiest first. */
const OFFICERS_MAX = 100;

const priority = z.enum(priorityNames);
const nameOf = (one: number) => priorityNames[one] ?? 'P5';
const seconds = (value: number) => Math.round(value);
export const share = (value: number) => Math.round(value * 10_000) / 10_000;

const measuredSchema = z
  .object({
    days: z.int(),
    decided: z.int(),
    in_time: z.int(),
    handling_seconds: z
      .number()
      .nullable()
      .meta({
        description: `Median from claim to decision; cases of a ring do not count. Null: of fewer than ${HANDLED_MIN} cases.`,
      }),
  })
  .meta({ id: 'MeasuredReviews' });

export const reviewStatusSchema = z
  .object({
    at: z.iso.datetime(),
    waiting: z.array(
      z.object({
        priority,
        corridor: z.string(),
        waiting: z.int(),
        claimed: z.int(),
        missed: z.int().meta({ description: 'Deadlines that have passed.' }),
        near: z.int().meta({ description: 'Deadlines within 30 minutes.' }),
        age_seconds: z.int().meta({ description: 'Average.' }),
        oldest_seconds: z.int(),
      }),
    ),
    due_next: z
      .array(
        z.object({
          transaction_id: z.uuid(),
          priority,
          corridor: z.string(),
          opened_at: z.iso.datetime(),
          due_at: z.iso.datetime(),
          locked_by: z
            .string()
            .nullable()
            .meta({ description: 'Who has claimed it; null once the lock has expired.' }),
        }),
      )
      .meta({ description: `Those that are due soonest, at most ${DUE_NEXT_MAX}.` }),
    officers_at_work: z.int().meta({
      description: 'People who have claimed a case, or decided one within the last hour.',
    }),
    utilisation: z.number().nullable().meta({
      description:
        'Decisions of the last hour by what the officers at work can decide in one; null: nobody is at work.',
    }),
    officers: z
      .array(
        z.object({
          officer: z.string(),
          claimed: z.int(),
          decided: z.int().meta({ description: 'Within the last hour.' }),
          utilisation: z.number(),
        }),
      )
      .meta({ description: `Those at work, the busiest first, at most ${OFFICERS_MAX}.` }),
    forecast: z
      .array(
        z.object({
          priority,
          waiting: z.int(),
          missed: z.int(),
          will_miss: z.int(),
          empty_seconds: z.int().nullable().meta({ description: 'Null: never at this pace.' }),
        }),
      )
      .meta({
        description:
          'Open cases, by arrivals and handling time as measured, and the officers at work.',
      }),
    overflow: z
      .array(
        z.object({
          priority,
          older_than_minutes: z.int(),
          actions: z.array(z.string()),
          cases: z.int(),
        }),
      )
      .meta({
        description: 'Overflow rules that are met. Proposals are for people; escalation is done.',
      }),
    measured: measuredSchema,
  })
  .meta({ id: 'ReviewStatus' });
export type ReviewStatusJson = z.infer<typeof reviewStatusSchema>;

export async function readReviewStatus(
  database: Queries,
  nowMs: number,
): Promise<ReviewStatusJson> {
  const { policy } = await readPolicy(database);
  const perHour = policy.capacity.reviews_per_hour;
  const waiting = await countWaiting(database);
  const { officers, decided, named } = await listAtWork(database, OFFICERS_MAX);
  const handling = await measureHandling(database, MEASURED_DAYS);
  const handlingSeconds = handlingTime(handling);
  const forecast = forecastBreaches(await listDeadlines(database, FORECAST_CASES_MAX), {
    officers,
    handlingSeconds: handlingSeconds ?? HOUR_SECONDS / perHour,
    arrivalsPerHour: await countArrivals(database),
  });
  const overflow: ReviewStatusJson['overflow'] = [];
  for (const { priority: one, older_than_minutes: minutes, actions } of policy.overflow) {
    const cases = await countOlder(database, one, minutes);
    if (cases > 0) {
      overflow.push({ priority: nameOf(one), older_than_minutes: minutes, actions, cases });
    }
  }
  return {
    at: new Date(nowMs).toISOString(),
    waiting: waiting.map(toWaitingJson),
    due_next: (await listDueNext(database, DUE_NEXT_MAX)).map((one) => ({
      ...{ transaction_id: one.transactionId, priority: nameOf(one.priority) },
      ...{ corridor: one.corridor, locked_by: one.lockedBy },
      ...{ opened_at: one.openedAt.toISOString(), due_at: one.dueAt.toISOString() },
    })),
    officers_at_work: officers,
    utilisation: officers === 0 ? null : share(decided / officers / perHour),
    officers: named.map((one) => ({ ...one, utilisation: share(one.decided / perHour) })),
    forecast: forecast.map(({ willMiss, emptySeconds, ...row }) => ({
      ...{ ...row, priority: nameOf(row.priority), will_miss: willMiss },
      empty_seconds: emptySeconds === null ? null : seconds(emptySeconds),
    })),
    overflow,
    measured: {
      ...{ days: MEASURED_DAYS, decided: handling.decided, in_time: handling.inTime },
      handling_seconds: handlingSeconds,
    },
  };
}

const toWaitingJson = ({ ageSeconds, oldestSeconds, ...row }: WaitingCases) => ({
  ...{ ...row, priority: nameOf(row.priority), age_seconds: seconds(ageSeconds) },
  oldest_seconds: seconds(oldestSeconds),
});

/** What plots of the last hour are made of. */
export function toReviewPoint({ at, waiting, officers_at_work }: ReviewStatusJson) {
  const sum = (of: 'missed' | 'near' | 'waiting', rows = waiting) =>
    rows.reduce((total, row) => total + row[of], 0);
  const byPriority = priorityNames.map((name) =>
    sum(
      'waiting',
      waiting.filter((row) => row.priority === name),
    ),
  );
  return { at, waiting: byPriority, missed: sum('missed'), near: sum('near'), officers_at_work };
}

export const storedPolicySchema = z
  .object({
    version: z.int(),
    made_at: z.iso.datetime(),
    made_by: z.string(),
    policy: reviewPolicySchema,
  })
  .meta({ id: 'StoredReviewPolicy' });
