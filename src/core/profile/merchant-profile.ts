/**
 * A merchant's profile: merchants are too busy for a list alone, so it is a list of the newest
 * transactions and tallies by hour, or by UTC day, of those before (its stored form: kinds.ts).
 *
 * Every known transaction after `horizon` and up to `ceiling` is in the list; those at or before it
 * and not older than `knownFromMs` are in the tallies, which remember no ids.
 */

import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../../kit/words/range.ts';
import { currencyScale, toMinorUnits } from '../domain/currency.ts';
import {
  type KnownFrauds,
  MERCHANT_DISTINCT_ENTRIES,
  type MerchantPast,
  type MerchantTally,
  merchantHourlyDays,
  merchantReachDays,
  type PastTransaction,
} from '../domain/history.ts';
import { addDistinct, beginDistinct } from './arithmetic.ts';
import { type Arrivals, arrivalOf, keyOfArrival } from './arrivals.ts';
import {
  AFTER_ALL,
  BEFORE_ALL,
  countBefore,
  countOlder,
  createList,
  dropOldest,
  hasAt,
  keyAt,
  keyOf,
  openRecord,
  type PackedList,
  packLetters,
  type RecordKey,
  type TakeBytes,
  timeAt,
  writeKey,
} from './packed-list.ts';
import type { Profile } from './profile.ts';
import {
  compareTallies,
  countTallied,
  packTallies,
  type Tallies,
  type Tally,
  unpackTallies,
} from './tallies.ts';

/**
 * A list that grows beyond one of these is cut; the removed records are tallied. Most lists end at the first. Beyond it are lists
 * with more siblings of a day, and lists that were rebuilt for an arrival behind 64 siblings: the next arrivals of the same backlog
 * find the list as long as they need it. Where 12 corridors of 60 merchants worked off backlogs days apart, a bound of 768 took
 * 1,475 rebuilds, 1,280 took 200 and 4,096 took 110; of 1,000 merchants with 4,000 transactions each 4,096 cost a third more
 * processor time (534 µs a transaction, not 410).
 */
export const MERCHANT_USUAL_ENTRIES = 576;
export const MERCHANT_RECENT_ENTRIES = 1280;
/** Removed at least, as each cut reads all tallies. */
export const MERCHANT_CUT_ENTRIES = 256;
/** Siblings stay in the list for so long, as a late arrival before the list costs a rebuild. */
const KEPT_MS = DAY_MS;
/** Siblings that stay whatever their time: batches of several workers may be so far out of order. */
export const MERCHANT_LATE_ENTRIES = 64;

export type MerchantProfile = Profile & {
  horizon: RecordKey;
  ceiling: RecordKey;
  knownFromMs: number;
  /** Days until labels count as complete: tallies before that have hours. */
  readonly maturityDays: number;
  tallies: Tallies;
  readonly frauds: KnownFrauds;
  readonly list: PackedList;
};

export const MERCHANT_RECORD_BYTES = 32;
/** Offsets in a record, after its key: amount (f64), account's hash (u32), currency (u16). */
const AMOUNT_AT = 16;
const ACCOUNT_AT = 24;
const CURRENCY_AT = 30;

export function insertMerchantRecord(
  { list }: Pick<MerchantProfile, 'list'>,
  index: number,
  arrivals: Arrivals,
  arrival: number,
): void {
  const at = openRecord(list, index);
  writeMerchantRecord(list.records, at, arrivals, arrival);
}

export function writeMerchantRecord(
  view: DataView,
  at: number,
  arrivals: Arrivals,
  arrival: number,
): void {
  writeKey(view, at, MERCHANT_RECORD_BYTES, keyOfArrival(arrivals, arrival));
  view.setFloat64(at + AMOUNT_AT, arrivals.minor[arrival] as number, true);
  view.setUint32(at + ACCOUNT_AT, arrivals.account[arrival] as number, true);
  view.setUint16(at + CURRENCY_AT, arrivals.currency[arrival] as number, true);
}

/** Moves excess records of the list into the tallies, and old tallies from hours into days. */
export function boundMerchant(profile: MerchantProfile): void {
  const { list } = profile;
  const { count } = list;
  if (count <= MERCHANT_RECENT_ENTRIES && count !== MERCHANT_USUAL_ENTRIES + 1) return;
  const dropped = count - keptOf(list);
  if (dropped < MERCHANT_CUT_ENTRIES) return;
  profile.horizon = keyAt(list, dropped - 1);
  const today = dayOf(profile.horizon.ms);
  const reachMs = merchantReachDays(profile.maturityDays) * DAY_MS;
  profile.knownFromMs = Math.max(profile.knownFromMs, today - reachMs);
  const hourlyFromMs = today - merchantHourlyDays(profile.maturityDays) * DAY_MS;
  const table = new Map<number, Tally>();
  for (const tally of unpackTallies(profile.tallies)) {
    if (tally.bucketMs >= profile.knownFromMs) addTally(table, tally, hourlyFromMs);
  }
  for (let index = 0; index < dropped; index++) {
    const bucketMs = hourOf(timeAt(list, index));
    if (bucketMs < profile.knownFromMs) continue;
    const currency = currencyAt(list, index);
    const sum = amountAt(list, index);
    addTally(table, { bucketMs, daily: false, currency, count: 1, sum }, hourlyFromMs);
  }
  profile.tallies = packTallies([...table.values()].sort(compareTallies));
  dropOldest(list, dropped);
}

/** Records that a cut leaves: those that may have late arrivals before them, and the siblings that the oldest such arrival sees. */
function keptOf(list: PackedList): number {
  const { count } = list;
  const young = count - countOlder(list, timeAt(list, count - 1) - KEPT_MS);
  const kept = Math.max(young, MERCHANT_LATE_ENTRIES) + MERCHANT_DISTINCT_ENTRIES;
  return Math.min(kept, MERCHANT_RECENT_ENTRIES - MERCHANT_CUT_ENTRIES);
}

function addTally(table: Map<number, Tally>, tally: Tally, hourlyFromMs: number): void {
  const daily = tally.daily || tally.bucketMs < hourlyFromMs;
  const bucketMs = daily ? dayOf(tally.bucketMs) : tally.bucketMs;
  const key = (bucketMs / HOUR_MS) * 0x8000 + tally.currency;
  const known = table.get(key);
  if (known === undefined) table.set(key, { ...tally, bucketMs, daily });
  else {
    known.count += tally.count;
    known.sum += tally.sum;
  }
}

export function rebuildMerchant(
  past: MerchantPast,
  take: TakeBytes,
  maturityDays: number,
): MerchantProfile {
  const list = createList(MERCHANT_RECORD_BYTES, past.rows.length + 2, take);
  const profile: MerchantProfile = {
    horizon: past.horizon === null ? BEFORE_ALL : keyOf(past.horizon),
    ceiling: past.ceiling === null ? AFTER_ALL : keyOf(past.ceiling),
    countedTo: 0,
    knownFromMs: past.knownFromMs,
    maturityDays,
    tallies: packTallies(past.tallies.map(readStoredTally).sort(compareTallies)),
    frauds: past.frauds,
    list,
  };
  for (const row of past.rows) insertMerchantRecord(profile, list.count, arrivalOf(row), 0);
  return profile;
}

/** Inserts a stored row, unless the list has it. */
export function insertMerchantRow(list: PackedList, row: PastTransaction): void {
  const arrivals = arrivalOf(row);
  const key = keyOfArrival(arrivals, 0);
  const index = countBefore(list, key);
  if (!hasAt(list, index, key)) insertMerchantRecord({ list }, index, arrivals, 0);
}

export function readStoredTally({ bucketMs, daily, currency, count, sum }: MerchantTally): Tally {
  return { bucketMs, daily, currency: packLetters(currency), count, sum: sumMinor(sum, currency) };
}

/** A decimal sum has the scale of numeric columns (4), so it may have more places than the currency. */
export function sumMinor(sum: string, currency: string): number {
  const point = sum.indexOf('.');
  const scale = currencyScale(currency) ?? 2;
  return toMinorUnits(point < 0 ? sum : sum.slice(0, point + 1 + scale), currency);
}

/** A transaction as a record of a merchant's list: its key (packed-list.ts), amount, account and currency. */
export function amountAt({ records }: PackedList, index: number): number {
  return records.getFloat64(index * MERCHANT_RECORD_BYTES + AMOUNT_AT, true);
}

export function accountAt({ records }: PackedList, index: number): number {
  return records.getUint32(index * MERCHANT_RECORD_BYTES + ACCOUNT_AT, true);
}

export function currencyAt({ records }: PackedList, index: number): number {
  return records.getUint16(index * MERCHANT_RECORD_BYTES + CURRENCY_AT, true);
}

/** Indexes of bounds: where the windows of all siblings begin, the longest first. */
export const FROM_30D = 0;
export const FROM_7D = 1;
export const FROM_24H = 2;
export const FROM_1H = 3;
/** Where the windows of siblings with mature labels begin, and where all of these end. */
export const MATURED_30D = 4;
export const MATURED_7D = 5;
export const MATURED_24H = 6;
const MATURED_END = 7;
const BOUNDS = 8;

const boundsMs = new Float64Array(BOUNDS);
/** By bound: how many records of the list are older, which is the position where a window begins. */
export const startsOf: Uint32Array = new Uint32Array(BOUNDS);
/** By bound: how many siblings are older, tallied ones included. */
export const olderThan: Float64Array = new Float64Array(BOUNDS);

export function findWindows(
  list: PackedList,
  tallies: Tallies,
  ms: number,
  maturityDays: number,
): void {
  setBounds(hourOf(ms), maturityDays);
  let from = 0;
  for (let bound = 0; bound < BOUNDS; bound++) {
    // Each shorter window begins within the longer one.
    if (bound === MATURED_30D) from = 0;
    from = countOlder(list, boundsMs[bound] as number, from);
    startsOf[bound] = from;
    olderThan[bound] = from + countTallied(tallies, boundsMs[bound] as number);
  }
}

function setBounds(hour: number, maturityDays: number): void {
  const matureHour = hour - maturityDays * DAY_MS;
  boundsMs[FROM_30D] = dayOf(hour) - 29 * DAY_MS;
  boundsMs[FROM_7D] = dayOf(hour) - 6 * DAY_MS;
  boundsMs[FROM_24H] = hour - 23 * HOUR_MS;
  boundsMs[FROM_1H] = hour;
  boundsMs[MATURED_30D] = dayOf(matureHour) - 29 * DAY_MS;
  boundsMs[MATURED_7D] = dayOf(matureHour) - 6 * DAY_MS;
  boundsMs[MATURED_24H] = matureHour - DAY_MS;
  boundsMs[MATURED_END] = matureHour;
}

export function countMatured(bound: number): number {
  return (olderThan[MATURED_END] as number) - (olderThan[bound] as number);
}

/**
 * Sum (minor units) and count of the records [from, to) of a currency. The oldest come first, as an addition beyond 2^53 is
 * rounded.
 */
export function sumListed(
  list: PackedList,
  from: number,
  to: number,
  currency: number,
): { readonly sum: number; readonly count: number } {
  let [sum, count] = [0, 0];
  for (let index = from; index < to; index++) {
    if (currencyAt(list, index) !== currency) continue;
    sum += amountAt(list, index);
    count += 1;
  }
  return { sum, count };
}

/** How many accounts the records [from, to) have. */
export function countAccounts(list: PackedList, from: number, to: number): number {
  beginDistinct();
  let accounts = 0;
  for (let index = from; index < to; index++) accounts = addDistinct(accountAt(list, index));
  return accounts;
}
