/** Features from an account's known frauds. Runs only for accounts that have some. */
import type { AccountSource } from '../../../src/core/profile/account-features.ts';
import type { AccountHistory } from './histories.ts';
import { countCreated, DAY_MS, firstAfter, fraudRate, seenFrauds, timeAt } from './packed.ts';

/** Frauds among the siblings [start, end) of the list, as known at `ms`. */
export function countAccountFrauds(
  { list, end, frauds, maturityMs }: AccountSource,
  start: number,
  ms: number,
  history: AccountHistory,
): void {
  const oldestMs = timeAt(list, start);
  const known = seenFrauds(frauds.spans, ms, oldestMs);
  const matureMs = ms - maturityMs;
  const mature = firstAfter(list, start, end, matureMs);
  // Windows are (from, to] of whole milliseconds, spans are counted in [from, to).
  const rate = (days: number) => {
    const fromMs = matureMs - days * DAY_MS;
    const frauds = countCreated(known, fromMs + 1, matureMs + 1);
    return fraudRate(frauds, mature - firstAfter(list, start, mature, fromMs));
  };
  history.fraudRate7d = rate(7);
  history.fraudRate30d = rate(30);
  history.fraudRate90d = rate(90);
  history.youngFrauds = countCreated(known, matureMs + 1, ms);
}
