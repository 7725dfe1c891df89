/** `GET /v1/reviews/shift`: what the person who asks has decided since a time. */
import { z } from 'zod';
import type { Query } from '../../../kit/database/pool.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import { timeParameter } from '../../../kit/words/list-parameters.ts';
import { DAY_MS, HOUR_MS } from '../../../kit/words/range.ts';
import type { Shift } from '../status.ts';
import { measureReviewer } from '../store/figures.ts';

/** A shift without a begin. */
const SHIFT_HOURS = 12;
const SINCE_DAYS_MAX = 7;

export const shiftParameters = z.strictObject({
  since: timeParameter.optional().meta({
    description: `Begin of the shift, at most ${SINCE_DAYS_MAX} days ago; absent: ${SHIFT_HOURS} hours ago.`,
  }),
});
type ShiftParameters = z.output<typeof shiftParameters>;

export async function readShift(
  query: Query,
  reviewer: string,
  { since }: ShiftParameters,
  nowMs: number,
): Promise<Shift> {
  const fromMs = since ?? nowMs - SHIFT_HOURS * HOUR_MS;
  if (fromMs < nowMs - SINCE_DAYS_MAX * DAY_MS) {
    const detail = `must be at most ${SINCE_DAYS_MAX} days ago`;
    throw new InvalidFields([{ pointer: '/since', detail }]);
  }
  const from = new Date(fromMs);
  const { fraud, legitimate, unsure, ...others } = await measureReviewer(query, reviewer, from);
  const decided = fraud + legitimate + unsure;
  return { reviewer, since: from.toISOString(), decided, fraud, legitimate, unsure, ...others };
}
