/**
 * Features from a merchant's list, tallies and frauds. Windows are whole UTC hours or days, so that list,
 * tallies and SQL agree.
 */
import {
  MERCHANT_DISTINCT_ENTRIES,
  MERCHANT_HISTORY_DAYS,
} from '../../../src/core/domain/history.ts';
import type { MerchantProfile } from '../../../src/core/profile/merchant-profile.ts';
import type { MerchantHistory } from './histories.ts';
import { countMerchantFrauds } from './merchant-frauds.ts';
import { countMatured, countOlder, maturedWindows } from './merchant-matured.ts';
import {
  accountAt,
  amountAt,
  countTallied,
  currencyAt,
  DAY_MS,
  dayOf,
  HOUR_MS,
  hourOf,
  sumTallied,
  timeAt,
} from './packed.ts';
import type { Figures } from './records.ts';

/** History of `record`, whose siblings before it are the tallied ones and the first `end` of the list. */
export function merchantHistory(
  profile: MerchantProfile,
  end: number,
  record: Figures,
): MerchantHistory {
  const { list, tallies, maturityDays, frauds } = profile;
  const ms = record.createdAtMs;
  const hour = hourOf(ms);
  const from24h = hour - 23 * HOUR_MS;
  const day = dayOf(ms);
  const from7d = day - 6 * DAY_MS;
  const from30d = day - 29 * DAY_MS;
  // Each window is searched in front of the shorter one.
  const start1h = countOlder(list, hour, end);
  const start24h = countOlder(list, from24h, start1h);
  const start7d = countOlder(list, from7d, start24h);
  const start30d = countOlder(list, from30d, start7d);
  const listed = sumCurrency(profile, start30d, end, record.currency);
  const tallied = countTallied(tallies, Number.POSITIVE_INFINITY);
  const history = emptyHistory();
  history.count1h = end - start1h + tallied - countTallied(tallies, hour);
  history.count24h = end - start24h + tallied - countTallied(tallies, from24h);
  history.count7d = end - start7d + tallied - countTallied(tallies, from7d);
  history.count30d = end - start30d + tallied - countTallied(tallies, from30d);
  history.distinctAccounts1h = countAccounts(profile, end, end - start1h);
  const summed = sumTallied(tallies, from30d, record.currency);
  history.amounts30d = listed.count + summed.count;
  if (history.amounts30d > 0) history.mean30d = (listed.sum + summed.sum) / history.amounts30d;
  const seenFromMs = day - (maturityDays + MERCHANT_HISTORY_DAYS) * DAY_MS;
  if (end > 0 && timeAt(list, end - 1) >= seenFromMs) {
    history.gapMs = ms - timeAt(list, end - 1);
  }
  const matured = maturedWindows(ms, maturityDays);
  countMatured(profile, matured, history);
  if (frauds.spans.length > 0) countMerchantFrauds(profile, ms, matured, history);
  return history;
}

function emptyHistory(): MerchantHistory {
  return {
    count1h: 0,
    count24h: 0,
    count7d: 0,
    count30d: 0,
    amounts30d: 0,
    mean30d: Number.NaN,
    distinctAccounts1h: 0,
    gapMs: Number.NaN,
    matured24h: 0,
    matured7d: 0,
    matured30d: 0,
    fraudRate24h: 0,
    fraudRate7d: 0,
    fraudRate30d: 0,
    fraudRate90d: 0,
    ordinaryRate7d: 0,
    youngFrauds: 0,
    runMs: Number.NaN,
    firstFraudMs: Number.NaN,
    firstFraudShare: Number.NaN,
  };
}

/** Sums one currency over [from, to), from the oldest on. */
function sumCurrency({ list }: MerchantProfile, from: number, to: number, currency: number) {
  let [sum, count] = [0, 0];
  for (let index = from; index < to; index++) {
    if (currencyAt(list, index) !== currency) continue;
    sum += amountAt(list, index);
    count++;
  }
  return { sum, count };
}

function countAccounts({ list }: MerchantProfile, end: number, inThisHour: number): number {
  const accounts = new Set<number>();
  const start = end - Math.min(inThisHour, MERCHANT_DISTINCT_ENTRIES);
  for (let index = end - 1; index >= start; index--) accounts.add(accountAt(list, index));
  return accounts.size;
}
