/**
 * Features of a transaction from its account's list. The list is sorted, so every window is a range of it that
 * ends at the transaction's place.
 */
import { ACCOUNT_HISTORY_DAYS, ACCOUNT_HISTORY_ENTRIES } from '../../../src/core/domain/history.ts';
import type { AccountSource } from '../../../src/core/profile/account-features.ts';
import type { PackedList } from '../../../src/core/profile/packed-list.ts';
import { measureAmounts } from './account-amounts.ts';
import { countAccountFrauds } from './account-frauds.ts';
import type { AccountHistory } from './histories.ts';
import { DAY_MS, firstAfter, HOUR_MS, ofAccount, timeAt } from './packed.ts';
import type { AccountRecord } from './records.ts';

const { merchantAt, deviceAt, corridorAt, countryAt, wasNightAt } = ofAccount;

/** History of `record`, whose siblings before it are those of the source. */
export function accountHistory(
  source: AccountSource,
  record: AccountRecord,
  limitMinor: number,
): AccountHistory {
  const { list, end, frauds } = source;
  const ms = record.createdAtMs;
  const floor = Math.max(0, end - ACCOUNT_HISTORY_ENTRIES);
  const from1h = firstAfter(list, floor, end, ms - HOUR_MS);
  const from24h = firstAfter(list, floor, from1h, ms - DAY_MS);
  const from7d = firstAfter(list, floor, from24h, ms - 7 * DAY_MS);
  const from14d = firstAfter(list, floor, from7d, ms - 14 * DAY_MS);
  const from30d = firstAfter(list, floor, from14d, ms - 30 * DAY_MS);
  const start = firstAfter(list, floor, from30d, ms - ACCOUNT_HISTORY_DAYS * DAY_MS);
  const history = emptyHistory(end - start, limitMinor);
  if (end === start) return history;
  history.count1h = end - from1h;
  history.count24h = end - from24h;
  history.count7d = end - from7d;
  history.count30d = end - from30d;
  const windows = { from1h, from24h, from7d, from14d, from30d, start, end };
  measureAmounts(list, windows, record, limitMinor, history);
  countMerchants(list, from24h, from1h, end, history);
  compareParties(list, start, end, record, history);
  compareCountries(list, start, end, record, history);
  if (frauds.spans.length > 0) {
    countAccountFrauds(source, start, ms, history);
  }
  history.gapMs = ms - timeAt(list, end - 1);
  history.spanMs = ms - timeAt(list, start);
  return history;
}

function emptyHistory(siblings: number, limitMinor: number): AccountHistory {
  return {
    siblings,
    spanMs: Number.NaN,
    count1h: 0,
    count24h: 0,
    count7d: 0,
    count30d: 0,
    sum1h: 0,
    sum24h: 0,
    sum7d: 0,
    sum30d: 0,
    amounts30d: 0,
    mean30d: Number.NaN,
    deviation30d: Number.NaN,
    max30d: Number.NaN,
    amounts: 0,
    median: Number.NaN,
    p90: Number.NaN,
    nearLimit72h: limitMinor > 0 ? 0 : Number.NaN,
    distinctMerchants1h: 0,
    distinctMerchants24h: 0,
    firstMerchant: Number.NaN,
    firstCorridor: Number.NaN,
    firstCountry: Number.NaN,
    firstDevice: Number.NaN,
    gapMs: Number.NaN,
    countryChangeMs: Number.NaN,
    nightShare: Number.NaN,
    amounts24h: 0,
    amounts7d: 0,
    meanSeen: Number.NaN,
    max7d: Number.NaN,
    max14d: Number.NaN,
    large14d: 0,
    fraudRate7d: 0,
    fraudRate30d: 0,
    fraudRate90d: 0,
    youngFrauds: 0,
  };
}

function countMerchants(
  list: PackedList,
  from24h: number,
  from1h: number,
  end: number,
  history: AccountHistory,
): void {
  const merchants = new Set<number>();
  for (let index = end - 1; index >= from1h; index--) merchants.add(merchantAt(list, index));
  history.distinctMerchants1h = merchants.size;
  for (let index = from1h - 1; index >= from24h; index--) merchants.add(merchantAt(list, index));
  history.distinctMerchants24h = merchants.size;
}

/** Whether any sibling shares merchant, corridor or device, and how many of them were at night. */
function compareParties(
  list: PackedList,
  start: number,
  end: number,
  record: AccountRecord,
  history: AccountHistory,
): void {
  const corridor = record.route >>> 10;
  let merchant = 0;
  let sameCorridor = 0;
  let devices = 0;
  let sameDevice = 0;
  let nights = 0;
  for (let index = start; index < end; index++) {
    const device = deviceAt(list, index);
    merchant += merchantAt(list, index) === record.merchant ? 1 : 0;
    sameCorridor += corridorAt(list, index) === corridor ? 1 : 0;
    devices += device === 0 ? 0 : 1;
    sameDevice += device === record.device ? 1 : 0;
    nights += wasNightAt(list, index) ? 1 : 0;
  }
  history.firstMerchant = merchant > 0 ? 0 : 1;
  history.firstCorridor = sameCorridor > 0 ? 0 : 1;
  if (record.device !== 0 && devices > 0) history.firstDevice = sameDevice > 0 ? 0 : 1;
  history.nightShare = nights / (end - start);
}

/** Missing where the transaction, or every sibling, has no country. */
function compareCountries(
  list: PackedList,
  start: number,
  end: number,
  record: AccountRecord,
  history: AccountHistory,
): void {
  const country = record.route % 1024;
  if (country === 0) return;
  for (let index = end - 1; index >= start; index--) {
    const sibling = countryAt(list, index);
    if (sibling === 0) continue;
    if (sibling === country) {
      history.firstCountry = 0;
      return;
    }
    // The newest sibling with a country comes first, and it differs.
    if (Number.isNaN(history.firstCountry)) {
      history.firstCountry = 1;
      history.countryChangeMs = record.createdAtMs - timeAt(list, index);
    }
  }
}
