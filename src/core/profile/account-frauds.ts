/** Features from an account's known frauds. Runs only for accounts that have some. */
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import type { KnownFrauds } from '../domain/history.ts';
import { countCreated, fraudRate, seenFrauds } from './known-frauds.ts';
import { firstAfter, type PackedList, timeAt } from './packed-list.ts';

/** The siblings, which are the first `end` items of a list, and the known frauds of the account. */
export type AccountSource = {
  readonly list: PackedList;
  readonly end: number;
  readonly frauds: KnownFrauds;
  /** Days after which the labels of a transaction count as complete. */
  readonly maturityMs: number;
};

/**
 * As known at `ms`: rates of fraud among the siblings [start, end) that were created in (t - d - w, t - d], d
 * being the maturity of labels and w 7, 30 and 90 days, and the known frauds of (t - d, t).
 */
export function writeAccountFrauds(
  { list, end, frauds, maturityMs }: AccountSource,
  start: number,
  ms: number,
  values: Float64Array,
  at: number,
): void {
  const oldestMs = timeAt(list, start);
  const known = seenFrauds(frauds, ms, oldestMs);
  const matureMs = ms - maturityMs;
  const mature = firstAfter(list, start, end, matureMs);
  // Windows are (from, to] of whole milliseconds; spans are counted in [from, to).
  const rate = (days: number) => {
    const fromMs = matureMs - days * DAY_MS;
    const frauds = countCreated(known, fromMs + 1, matureMs + 1);
    return fraudRate(frauds, mature - firstAfter(list, start, mature, fromMs));
  };
  values[at] = rate(7);
  values[at + 1] = rate(30);
  values[at + 2] = rate(90);
  values[at + 3] = countCreated(known, matureMs + 1, ms);
}
