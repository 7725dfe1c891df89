/** `GET /v1/reviews/shift`: what the person who asks has decided since a time. */
import { z } from 'zod';
import type { Database } from '../../../kit/database/pool.ts';
import { InvalidFields } from '../../../kit/words/field-error.ts';
import { timeParameter } from '../../../kit/words/list-parameters.ts';
import { HANDLED_MIN, handlingTime } from '../handling-time.ts';
import { measureReviewer } from '../store/reviewer-figures.ts';

const HOUR_MS = 3_600_000;
/** A shift without a begin. */
const SHIFT_HOURS = 12;
const SINCE_DAYS_MAX = 7;
/** A reviewer makes about 500 changes in a shift of 160 reviews. */
const CHANGES_MAX = 5000;

export const shiftParameters = z.strictObject({
  since: timeParameter.optional().meta({
    description: `Begin of the shift, at most ${SINCE_DAYS_MAX} days ago; absent: ${SHIFT_HOURS} hours ago.`,
  }),
});
export type ShiftParameters = z.output<typeof shiftParameters>;

export const shiftSchema = z
  .object({
    reviewer: z.string(),
    since: z.iso.datetime(),
    decided: z.int().meta({ description: 'Decisions that stand, final or not.' }),
    fraud: z.int(),
    legitimate: z.int(),
    unsure: z.int(),
    in_time: z.int().meta({ description: 'Decided before their deadline.' }),
    handling_seconds: z
      .number()
      .nullable()
      .meta({
        description: `Median from claim to decision; cases of a ring do not count. Null: of fewer than ${HANDLED_MIN} cases.`,
      }),
    undone: z.int().meta({
      description: `Decisions taken back, among the newest ${CHANGES_MAX} changes of the reviewer.`,
    }),
  })
  .meta({ id: 'ReviewShift' });
export type ShiftJson = z.infer<typeof shiftSchema>;

/** @param reviewer name of the person who asks */
export async function readShift(
  database: Pick<Database, 'query'>,
  reviewer: string,
  { since }: ShiftParameters,
  nowMs: number,
): Promise<ShiftJson> {
  const fromMs = since ?? nowMs - SHIFT_HOURS * HOUR_MS;
  if (fromMs < nowMs - SINCE_DAYS_MAX * 24 * HOUR_MS) {
    const detail = `must be at most ${SINCE_DAYS_MAX} days ago`;
    throw new InvalidFields([{ pointer: '/since', detail }]);
  }
  const found = await measureReviewer(database, reviewer, new Date(fromMs), CHANGES_MAX);
  return {
    ...{ reviewer, since: new Date(fromMs).toISOString() },
    decided: found.fraud + found.legitimate + found.unsure,
    ...{ fraud: found.fraud, legitimate: found.legitimate, unsure: found.unsure },
    ...{ in_time: found.inTime, handling_seconds: handlingTime(found), undone: found.undone },
  };
}
