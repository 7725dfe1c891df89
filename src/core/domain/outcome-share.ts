/** Shares of frauds among scores, as answers give them: with their 95 % interval and the rows behind them. */
import { z } from 'zod';
import { DAY_MS } from '../../kit/words/range.ts';

/** Days back from now that a question may look, today's UTC day included. */
export const OUTCOME_DAYS = ['1', '7', '28'] as const;

/** Start of the first of these days. */
export function outcomesFromMs(days: (typeof OUTCOME_DAYS)[number], nowMs: number): number {
  return (Math.floor(nowMs / DAY_MS) - (Number(days) - 1)) * DAY_MS;
}

export const outcomeShareSchema = z
  .object({
    rows: z.int(),
    value: z.number(),
    low: z.number().meta({ description: 'Of the 95 % interval (Wilson), as high.' }),
    high: z.number(),
  })
  .meta({ id: 'OutcomeShare', example: { rows: 91, value: 0.341, low: 0.252, high: 0.443 } });
export type OutcomeShare = z.infer<typeof outcomeShareSchema>;

/** Null without rows. */
export function shareOf(hits: number, rows: number): OutcomeShare | null {
  return rows === 0 ? null : { rows, value: hits / rows, ...wilsonInterval(hits, rows) };
}

/** Standard deviations that hold 95 % of a normal distribution. */
const Z = 1.959964;

/** The 95 % score interval of a share (Wilson, 1927): inside [0, 1] for any count. `rows` above 0. */
function wilsonInterval(hits: number, rows: number): Pick<OutcomeShare, 'low' | 'high'> {
  const share = hits / rows;
  const shrink = 1 + (Z * Z) / rows;
  const centre = (share + (Z * Z) / (2 * rows)) / shrink;
  const spread = Math.sqrt((share * (1 - share)) / rows + (Z * Z) / (4 * rows * rows));
  const half = (Z * spread) / shrink;
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
