/** The siblings of a merchant's transaction whose labels are mature. */
import type { MaturedWindows } from '../../../src/profile/merchant-matured.ts';
import type { MerchantProfile } from '../../../src/profile/merchant-profile.ts';
import { countOlder, timeAt } from '../../../src/profile/packed-list.ts';
import { countTallied } from '../../../src/profile/tallies.ts';
import type { MerchantHistory } from './histories.ts';

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
  if (tallies.list.length === 0) return;
  const tallied = countTallied(tallies, toMs);
  history.matured24h += tallied - countTallied(tallies, from24hMs);
  history.matured7d += tallied - countTallied(tallies, from7dMs);
  history.matured30d += tallied - countTallied(tallies, from30dMs);
}
