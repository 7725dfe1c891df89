/**
 * An account's profile: the packed list of every known transaction after `floor` and up to `ceiling`, in the order of time. The
 * floor rises when the list is full; the ceiling is finite only after a rebuild that read fewer rows than there are.
 */
import { DAY_MS, HOUR_MS } from '../../kit/words/range.ts';
import {
  ACCOUNT_HISTORY_DAYS,
  ACCOUNT_HISTORY_ENTRIES,
  type AccountPast,
  type KnownFrauds,
} from '../domain/history.ts';
import { NO_NUMBERS, type Numbers, writeRecordNumbers } from './account-numbers.ts';
import { addDistinct, beginDistinct } from './arithmetic.ts';
import { type Arrivals, arrivalOf, keyOfArrival } from './arrivals.ts';
import {
  AFTER_ALL,
  createList,
  dropOldest,
  keyAt,
  keyOf,
  openRecord,
  type PackedList,
  type RecordKey,
  type TakeBytes,
  takeOwn,
  writeKey,
} from './packed-list.ts';
import type { Profile } from './profile.ts';

/**
 * A longer list is cut to ACCOUNT_CUT_ENTRIES. Shorter: a busy account whose corridors are drained at different paces needs a rebuild
 * for each late transaction (with 320 and 288 entries a worker spent 1.9 times as much in `bench -- cliff`); longer: more memory.
 */
export const ACCOUNT_PROFILE_ENTRIES = 1024;
export const ACCOUNT_CUT_ENTRIES = 768;
/** The last half word of a record without declared numbers: the currency's 15 bits and whether it was night. */
const CURRENCY_BITS = 0x7fff;
const NIGHT_BIT = 0x8000;
/** The country's share of a record's route; the corridor stands above it. */
export const COUNTRY_BITS = 0x3ff;

/** Offsets in a record, after its key: amount (f64), hashes and route (u32), currency and night (u16). */
export const AMOUNT_AT = 16;
const MERCHANT_AT = 24;
const DEVICE_AT = 28;
const ROUTE_AT = 32;
export const CURRENCY_AT = 38;

const NIGHT_HOURS = 6;
const HOURS = 24;

export type AccountProfile = Profile & {
  floor: RecordKey;
  ceiling: RecordKey;
  readonly frauds: KnownFrauds;
  readonly numbers: Numbers;
  readonly list: PackedList;
};

/** Windows are (t - length, t] to the millisecond. */
const LENGTHS_MS = [
  HOUR_MS,
  DAY_MS,
  3 * DAY_MS,
  7 * DAY_MS,
  14 * DAY_MS,
  30 * DAY_MS,
  ACCOUNT_HISTORY_DAYS * DAY_MS,
];
/** Indexes of the windows; SEEN has all visible siblings. */
export const HOUR = 0;
export const DAY = 1;
export const DAYS_3 = 2;
export const DAYS_7 = 3;
export const DAYS_14 = 4;
export const DAYS_30 = 5;
export const SEEN = 6;
const WINDOWS = LENGTHS_MS.length;

/** By window: siblings, siblings of the same currency, and the sum and maximum of the latter in minor units (0 without any). */
export const siblingsOf: Uint16Array = new Uint16Array(WINDOWS);
export const amountsOf: Uint16Array = new Uint16Array(WINDOWS);
export const sumOf: Float64Array = new Float64Array(WINDOWS);
export const largestOf: Float64Array = new Float64Array(WINDOWS);
/** Same-currency amounts, the newest first: the amounts of a window are the first `amountsOf` it. */
export const amountsSeen: Float64Array<ArrayBuffer> = new Float64Array(ACCOUNT_HISTORY_ENTRIES);

/** The functions below write this object; the next arrival overwrites it. 1 is yes. */
export const parties = {
  sameMerchant: 0,
  sameCorridor: 0,
  sameCountry: 0,
  sameDevice: 0,
  device: 0,
  /** 1 where the newest sibling with a country has this one; 0 without one. */
  newestCountry: 0,
  newestCountryAt: 0,
  nights: 0,
  merchants1h: 0,
  merchants24h: 0,
};

/** Siblings by UTC hour; `passParties` writes them. */
export const hoursOf: Uint16Array = new Uint16Array(HOURS);

export function insertAccountRecord(
  profile: AccountProfile,
  index: number,
  arrivals: Arrivals,
  arrival: number,
): void {
  const at = openRecord(profile.list, index);
  writeAccountRecord(profile.list.records, at, arrivals, arrival, profile.numbers);
}

export function writeAccountRecord(
  view: DataView,
  at: number,
  arrivals: Arrivals,
  arrival: number,
  numbers: Numbers,
): void {
  writeKey(view, at, numbers.recordBytes, keyOfArrival(arrivals, arrival));
  const isNight = (arrivals.ms[arrival] as number) % DAY_MS < NIGHT_HOURS * HOUR_MS;
  view.setFloat64(at + AMOUNT_AT, arrivals.minor[arrival] as number, true);
  view.setUint32(at + MERCHANT_AT, arrivals.merchant[arrival] as number, true);
  view.setUint32(at + DEVICE_AT, arrivals.device[arrival] as number, true);
  view.setUint32(at + ROUTE_AT, arrivals.route[arrival] as number, true);
  const currency = arrivals.currency[arrival] as number;
  view.setUint16(at + CURRENCY_AT, isNight ? currency | NIGHT_BIT : currency, true);
  if (numbers.version !== 0) writeRecordNumbers(view, at, numbers, arrivals.numbers[arrival]);
}

/** Cuts a list that is too long; dropped records raise the floor. */
export function boundAccount(profile: AccountProfile): void {
  const { list } = profile;
  if (list.count <= ACCOUNT_PROFILE_ENTRIES) return;
  const dropped = list.count - ACCOUNT_CUT_ENTRIES;
  profile.floor = keyAt(list, dropped - 1);
  dropOldest(list, dropped);
}

export function rebuildAccount(
  past: AccountPast,
  take: TakeBytes = takeOwn,
  numbers: Numbers = NO_NUMBERS,
): AccountProfile {
  const list = createList(numbers.recordBytes, past.rows.length + 2, take);
  const profile: AccountProfile = {
    floor: keyOf(past.floor),
    ceiling: past.ceiling === null ? AFTER_ALL : keyOf(past.ceiling),
    countedTo: 0,
    frauds: past.frauds,
    numbers,
    list,
  };
  for (const row of past.rows) insertAccountRecord(profile, list.count, arrivalOf(row), 0);
  return profile;
}

/**
 * A pass over an account's list, from the newest sibling to the oldest visible one: counts, sums and maxima
 * of all windows, each of which is the beginning of a longer one. The next pass overwrites the results.
 * @param end how many records of the list are siblings of a transaction at `ms`
 */
export function passWindows(
  { records, recordBytes }: PackedList,
  end: number,
  ms: number,
  currency: number,
): void {
  const floor = Math.max(0, end - ACCOUNT_HISTORY_ENTRIES);
  let index = end;
  let amounts = 0;
  let sum = 0;
  let largest = 0;
  for (let window = 0; window < WINDOWS; window++) {
    const sinceMs = ms - (LENGTHS_MS[window] as number);
    for (; index > floor; index--) {
      const at = (index - 1) * recordBytes;
      if (records.getFloat64(at, true) <= sinceMs) break;
      if ((records.getUint16(at + CURRENCY_AT, true) & CURRENCY_BITS) !== currency) continue;
      const amount = records.getFloat64(at + AMOUNT_AT, true);
      amountsSeen[amounts++] = amount;
      sum += amount;
      if (amount > largest) largest = amount;
    }
    siblingsOf[window] = end - index;
    amountsOf[window] = amounts;
    sumOf[window] = sum;
    largestOf[window] = largest;
  }
}

/**
 * Compares an arrival with the siblings [start, end) of the list, by the properties that both may share: merchants, corridors,
 * countries, devices, night hours; and counts the siblings' hours.
 */
export function passParties(
  { records, recordBytes }: PackedList,
  start: number,
  end: number,
  arrivals: Arrivals,
  arrival: number,
): void {
  const merchant = arrivals.merchant[arrival] as number;
  const device = arrivals.device[arrival] as number;
  const route = arrivals.route[arrival] as number;
  const corridor = route >>> 10;
  const country = route & COUNTRY_BITS;
  let sameMerchant = 0;
  let sameCorridor = 0;
  let sameCountry = 0;
  let sameDevice = 0;
  let devices = 0;
  let newestCountry = 0;
  let newestCountryAt = 0;
  let nights = 0;
  hoursOf.fill(0);
  for (let index = end - 1; index >= start; index--) {
    const at = index * recordBytes;
    const itsDevice = records.getUint32(at + DEVICE_AT, true);
    const itsRoute = records.getUint32(at + ROUTE_AT, true);
    const itsCountry = itsRoute & COUNTRY_BITS;
    // Bits instead of branches, which random amounts and merchants would make slow.
    sameMerchant |= Number(records.getUint32(at + MERCHANT_AT, true) === merchant);
    sameCorridor |= Number(itsRoute >>> 10 === corridor);
    sameCountry |= Number(itsCountry === country);
    sameDevice |= Number(itsDevice === device);
    devices |= itsDevice;
    nights += records.getUint16(at + CURRENCY_AT, true) >>> 15;
    const hour = ((records.getFloat64(at, true) / HOUR_MS) | 0) % HOURS;
    hoursOf[hour] = (hoursOf[hour] as number) + 1;
    if (newestCountry === 0 && itsCountry !== 0) {
      newestCountry = itsCountry;
      newestCountryAt = index;
    }
  }
  parties.sameMerchant = sameMerchant;
  parties.sameCorridor = sameCorridor;
  parties.sameCountry = sameCountry;
  parties.sameDevice = sameDevice;
  parties.device = devices === 0 ? 0 : 1;
  parties.newestCountry = newestCountry;
  parties.newestCountryAt = newestCountryAt;
  parties.nights = nights;
}

/** Distinct merchants among the siblings of the last hour, [from1h, end), and of the day, [from24h, end). */
export function countMerchants(
  { records, recordBytes }: PackedList,
  from24h: number,
  from1h: number,
  end: number,
): void {
  beginDistinct();
  let merchants = 0;
  for (let index = end - 1; index >= from24h; index--) {
    if (index === from1h - 1) parties.merchants1h = merchants;
    merchants = addDistinct(records.getUint32(index * recordBytes + MERCHANT_AT, true));
  }
  parties.merchants24h = merchants;
  if (from1h === from24h) parties.merchants1h = merchants;
}
