/** How the review stands, in the form of the API. */
import { z } from 'zod';
import { CASE_LIMITS } from './case.ts';
import { priorityNames } from './policy.ts';

/** Cases that the status names; those due soonest. */
export const DUE_NEXT_MAX = 20;
/** People who are named, the busiest first. */
export const OFFICERS_MAX = 100;

const priority = z.enum(priorityNames);
const time = z.iso.datetime();

/** The time of a review, in the status and in a reviewer's shift. */
export const handlingSeconds = z
  .number()
  .nullable()
  .meta({
    description: `Median from claim to decision; cases that were decided together do not count. Null: of fewer than ${CASE_LIMITS.handledMin} cases.`,
  });

const measuredSchema = z
  .object({
    days: z.int(),
    decided: z.int(),
    in_time: z.int(),
    handling_seconds: handlingSeconds.meta({
      description: `As in a shift; null, too, where all decisions fall within ${CASE_LIMITS.handledMinutesMin} minutes, as those of a script do.`,
    }),
    reviews_per_hour: z.number().meta({
      description: 'Of one officer, by `handling_seconds`; where that is null, of the policy.',
    }),
  })
  .meta({ id: 'MeasuredReviews' });

export const statusSchema = z
  .object({
    at: time,
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
          opened_at: time,
          due_at: time,
          locked_by: z
            .string()
            .nullable()
            .meta({ description: 'Who has claimed it; null once the lock has expired.' }),
          decided_by: z.string().nullable().meta({
            description: 'Who has decided it, as it waits for a second person; null: nobody has.',
          }),
          escalated_by: z.string().nullable().meta({
            description: 'Who has escalated it, `engine` by an overflow rule; null: nobody has.',
          }),
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
        description: 'Overflow rules that are met. Suggestions are for people; escalation is done.',
      }),
    measured: measuredSchema,
  })
  .meta({ id: 'ReviewStatus' });
export type Status = z.infer<typeof statusSchema>;

/** Changes of a reviewer that a shift counts: about 500 in a shift of 160 reviews. */
export const SHIFT_CHANGES_MAX = 5000;

export const shiftSchema = z
  .object({
    reviewer: z.string(),
    since: z.iso.datetime(),
    decided: z.int().meta({ description: 'Decisions that stand, final or not.' }),
    fraud: z.int(),
    legitimate: z.int(),
    unsure: z.int(),
    in_time: z.int().meta({ description: 'Decided before their deadline.' }),
    handling_seconds: handlingSeconds,
    undone: z.int().meta({
      description: `Decisions taken back, among the newest ${SHIFT_CHANGES_MAX} changes of the reviewer.`,
    }),
  })
  .meta({ id: 'ReviewShift' });
export type Shift = z.infer<typeof shiftSchema>;

/** A point of the plots of the last hour. */
export function toReviewPoint({ at, waiting, officers_at_work }: Status) {
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
