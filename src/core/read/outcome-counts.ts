/** Shares of frauds among scores, as answers give them: with their 95 % interval and the rows behind them. */
import { z } from 'zod';
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import { wilsonInterval } from '../score/models/evaluation/wilson.ts';

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
  .meta({ id: 'OutcomeShare' });
export type OutcomeShare = z.infer<typeof outcomeShareSchema>;

/** Null without rows. */
export function shareOf(hits: number, rows: number): OutcomeShare | null {
  return rows === 0 ? null : { rows, value: hits / rows, ...wilsonInterval(hits, rows) };
}
