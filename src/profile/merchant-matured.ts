/** The siblings of a merchant's transaction whose labels are mature. */
import { DAY_MS, dayOf, hourOf } from '../domain/utc-bucket.ts';

/** Windows of matured siblings: all of them end before `toMs`. */
export type MaturedWindows = {
  readonly toMs: number;
  readonly from24hMs: number;
  readonly from7dMs: number;
  readonly from30dMs: number;
  readonly from90dMs: number;
};

export function maturedWindows(ms: number, maturityDays: number): MaturedWindows {
  const matureMs = ms - maturityDays * DAY_MS;
  const toMs = hourOf(matureMs);
  const today = dayOf(matureMs);
  return {
    toMs,
    from24hMs: toMs - DAY_MS,
    from7dMs: today - 6 * DAY_MS,
    from30dMs: today - 29 * DAY_MS,
    from90dMs: today - 89 * DAY_MS,
  };
}
