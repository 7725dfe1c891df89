/** The siblings of a merchant's transaction whose labels are mature. */
import type { MerchantProfile } from '../../../src/core/profile/merchant-profile.ts';
import type { PackedList } from '../../../src/core/profile/packed-list.ts';
import type { MerchantHistory } from './histories.ts';
import { countTallied, DAY_MS, dayOf, hourOf, timeAt } from './packed.ts';

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

/** Number of the first `end` records that are older than a time. */
export function countOlder(list: PackedList, ms: number, end: number = list.count): number {
  let start = 0;
  let stop = end;
  while (start < stop) {
    const middle = (start + stop) >> 1;
    if (timeAt(list, middle) < ms) start = middle + 1;
    else stop = middle;
  }
  return start;
}

/** Counts siblings older than the beginning of an hour, or of a UTC day where tallies have no hours. */
export function countBeforeBucket({ list, tallies }: MerchantProfile, ms: number): number {
  return countOlder(list, ms) + countTallied(tallies, ms);
}

export function countMatured(
  { list, tallies }: MerchantProfile,
  { toMs, from24hMs, from7dMs, from30dMs }: MaturedWindows,
  history: MerchantHistory,
): void {
  // No search is needed where all of the list is younger.
  if (list.count > 0 && timeAt(list, 0) < toMs) {
    const end = countOlder(list, toMs);
    const start24h = countOlder(list, from24hMs, end);
    const start7d = countOlder(list, from7dMs, start24h);
    history.matured24h = end - start24h;
    history.matured7d = end - start7d;
    history.matured30d = end - countOlder(list, from30dMs, start7d);
  }
  if (tallies.length === 0) return;
  const tallied = countTallied(tallies, toMs);
  history.matured24h += tallied - countTallied(tallies, from24hMs);
  history.matured7d += tallied - countTallied(tallies, from7dMs);
  history.matured30d += tallied - countTallied(tallies, from30dMs);
}
