/**
 * What an account's list says about one transaction. The list is sorted, so every window is a range of
 * it that ends at the transaction's place.
 */
import {
  ACCOUNT_HISTORY_DAYS,
  ACCOUNT_HISTORY_ENTRIES,
  type AccountHistory,
} from '../domain/history.ts';
import {
  ACCOUNT_ITEM_BYTES,
  type AccountItem,
  AMOUNT_AT,
  COUNTRY_BITS,
  CURRENCY_AT,
  CURRENCY_BITS,
  DEVICE_AT,
  MERCHANT_AT,
  NIGHT_BIT,
  ROUTE_AT,
} from './account-profile.ts';
import { createDistinctCounter } from './distinct.ts';
import { type PackedList, timeAt } from './packed-list.ts';
import { selectRank } from './select-rank.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** From this share of the reporting limit on an amount is near it. */
export const NEAR_LIMIT_SHARE = 0.8;

const merchants = createDistinctCounter();
const ranked = new Float64Array(ACCOUNT_HISTORY_ENTRIES);

/** History of `item`, whose siblings before it are the first `end` items. */
export function accountHistory(
  list: PackedList,
  end: number,
  item: AccountItem,
  limitMinor: number,
): AccountHistory {
  const { ms } = item.place;
  const floor = Math.max(0, end - ACCOUNT_HISTORY_ENTRIES);
  const from1h = firstAfter(list, floor, end, ms - HOUR_MS);
  const from24h = firstAfter(list, floor, from1h, ms - DAY_MS);
  const from7d = firstAfter(list, floor, from24h, ms - 7 * DAY_MS);
  const from30d = firstAfter(list, floor, from7d, ms - 30 * DAY_MS);
  const start = firstAfter(list, floor, from30d, ms - ACCOUNT_HISTORY_DAYS * DAY_MS);
  const history = emptyHistory(end - start, limitMinor);
  if (end === start) return history;
  history.count1h = end - from1h;
  history.count24h = end - from24h;
  history.count7d = end - from7d;
  history.count30d = end - from30d;
  sumWindows(list, { from1h, from24h, from7d, from30d, end }, item, history);
  spreadAmounts(list, from30d, end, item, history);
  if (limitMinor > 0) {
    const from72h = firstAfter(list, from7d, from24h, ms - 3 * DAY_MS);
    history.nearLimit72h = countNearLimit(list, from72h, end, item, limitMinor);
  }
  countMerchants(list, from24h, from1h, end, history);
  compareParties(list, start, end, item, history);
  compareCountries(list, start, end, item, history);
  rankAmounts(list, start, end, item, history);
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
  };
}

/** Index of the first item in [from, end) with a time after `ms`. Newest windows are short: from the end. */
function firstAfter(list: PackedList, from: number, end: number, ms: number): number {
  let index = end;
  while (index > from && timeAt(list, index - 1) > ms) index--;
  return index;
}

function amountAt({ items }: PackedList, index: number): number {
  return items.getFloat64(index * ACCOUNT_ITEM_BYTES + AMOUNT_AT, true);
}

function currencyAt({ items }: PackedList, index: number): number {
  return items.getUint16(index * ACCOUNT_ITEM_BYTES + CURRENCY_AT, true) & CURRENCY_BITS;
}

function merchantAt({ items }: PackedList, index: number): number {
  return items.getUint32(index * ACCOUNT_ITEM_BYTES + MERCHANT_AT, true);
}

function routeAt({ items }: PackedList, index: number): number {
  return items.getUint32(index * ACCOUNT_ITEM_BYTES + ROUTE_AT, true);
}

type Windows = {
  readonly from1h: number;
  readonly from24h: number;
  readonly from7d: number;
  readonly from30d: number;
  readonly end: number;
};

/** Same-currency sums, newest first, so that each window's sum is a longer one's beginning. */
function sumWindows(
  list: PackedList,
  { from1h, from24h, from7d, from30d, end }: Windows,
  item: AccountItem,
  history: AccountHistory,
): void {
  let sum = 0;
  let amounts = 0;
  let largest = 0;
  for (let index = end - 1; index >= from30d; index--) {
    if (currencyAt(list, index) !== item.currency) continue;
    const amount = amountAt(list, index);
    sum += amount;
    amounts++;
    if (amount > largest) largest = amount;
    if (index >= from1h) history.sum1h = sum;
    if (index >= from24h) history.sum24h = sum;
    if (index >= from7d) history.sum7d = sum;
  }
  history.sum30d = sum;
  history.amounts30d = amounts;
  if (amounts > 0) history.max30d = largest;
}

/** Mean and sample standard deviation of the same-currency amounts of 30 days. */
function spreadAmounts(
  list: PackedList,
  from30d: number,
  end: number,
  item: AccountItem,
  history: AccountHistory,
): void {
  const { amounts30d, sum30d } = history;
  if (amounts30d === 0) return;
  const mean = sum30d / amounts30d;
  history.mean30d = mean;
  if (amounts30d === 1) return;
  let squares = 0;
  for (let index = end - 1; index >= from30d; index--) {
    if (currencyAt(list, index) !== item.currency) continue;
    const away = amountAt(list, index) - mean;
    squares += away * away;
  }
  history.deviation30d = Math.sqrt(squares / (amounts30d - 1));
}

/** Median and 90th percentile, as percentile_disc of SQL has them. */
function rankAmounts(
  list: PackedList,
  start: number,
  end: number,
  item: AccountItem,
  history: AccountHistory,
): void {
  let count = 0;
  for (let index = start; index < end; index++) {
    if (currencyAt(list, index) !== item.currency) continue;
    ranked[count++] = amountAt(list, index);
  }
  history.amounts = count;
  if (count === 0) return;
  const middle = (count + 1) >> 1;
  history.median = selectRank(ranked, count, middle);
  history.p90 = selectRank(ranked, count, count - Math.floor(count / 10), middle);
}

function countNearLimit(
  list: PackedList,
  from: number,
  end: number,
  item: AccountItem,
  limitMinor: number,
): number {
  const least = limitMinor * NEAR_LIMIT_SHARE;
  let count = 0;
  for (let index = from; index < end; index++) {
    if (currencyAt(list, index) !== item.currency) continue;
    const amount = amountAt(list, index);
    if (amount >= least && amount < limitMinor) count++;
  }
  return count;
}

function countMerchants(
  list: PackedList,
  from24h: number,
  from1h: number,
  end: number,
  history: AccountHistory,
): void {
  merchants.reset();
  for (let index = end - 1; index >= from1h; index--) merchants.add(merchantAt(list, index));
  history.distinctMerchants1h = merchants.count();
  for (let index = from1h - 1; index >= from24h; index--) merchants.add(merchantAt(list, index));
  history.distinctMerchants24h = merchants.count();
}

/** Whether any sibling shares merchant, corridor or device, and how many of them were at night. */
function compareParties(
  list: PackedList,
  start: number,
  end: number,
  item: AccountItem,
  history: AccountHistory,
): void {
  const { items } = list;
  const corridor = item.route >>> 10;
  let merchant = 0;
  let sameCorridor = 0;
  let devices = 0;
  let sameDevice = 0;
  let nights = 0;
  for (let index = start; index < end; index++) {
    const at = index * ACCOUNT_ITEM_BYTES;
    const device = items.getUint32(at + DEVICE_AT, true);
    merchant += items.getUint32(at + MERCHANT_AT, true) === item.merchant ? 1 : 0;
    sameCorridor += items.getUint32(at + ROUTE_AT, true) >>> 10 === corridor ? 1 : 0;
    devices += device === 0 ? 0 : 1;
    sameDevice += device === item.device ? 1 : 0;
    nights += (items.getUint16(at + CURRENCY_AT, true) & NIGHT_BIT) === 0 ? 0 : 1;
  }
  history.firstMerchant = merchant > 0 ? 0 : 1;
  history.firstCorridor = sameCorridor > 0 ? 0 : 1;
  if (item.device !== 0 && devices > 0) history.firstDevice = sameDevice > 0 ? 0 : 1;
  history.nightShare = nights / (end - start);
}

/** Nothing to tell where the transaction, or every sibling, has no country. */
function compareCountries(
  list: PackedList,
  start: number,
  end: number,
  item: AccountItem,
  history: AccountHistory,
): void {
  const country = item.route & COUNTRY_BITS;
  if (country === 0) return;
  for (let index = end - 1; index >= start; index--) {
    const sibling = routeAt(list, index) & COUNTRY_BITS;
    if (sibling === 0) continue;
    if (sibling === country) {
      history.firstCountry = 0;
      return;
    }
    // The newest sibling with a country comes first, and it differs.
    if (Number.isNaN(history.firstCountry)) {
      history.firstCountry = 1;
      history.countryChangeMs = item.place.ms - timeAt(list, index);
    }
  }
}
