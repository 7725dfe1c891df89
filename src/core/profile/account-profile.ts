/**
 * An account's profile: the packed list of every known transaction after `floor` and up to `ceiling`, in the order of time. The
 * floor rises when the list is full; the ceiling is finite only after a rebuild that read fewer rows than there are.
 */
import { DAY_MS, HOUR_MS } from '../../kit/words/utc-bucket.ts';
import type { AccountPast, KnownFrauds } from '../domain/history.ts';
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
  writeKey,
} from './packed-list.ts';
import type { Profile } from './profile.ts';

/**
 * A longer list is cut to ACCOUNT_CUT_ENTRIES, which leaves room for late arrivals and makes rewrites rare.
 */
export const ACCOUNT_PROFILE_ENTRIES = 320;
export const ACCOUNT_CUT_ENTRIES = 288;
export const ACCOUNT_RECORD_BYTES = 40;
/** The last half word of a record: the currency's 15 bits and whether it was night. */
export const CURRENCY_BITS = 0x7fff;
export const NIGHT_BIT = 0x8000;
/** The country's share of a record's route; the corridor stands above it. */
export const COUNTRY_BITS = 0x3ff;

/** Offsets in a record, after its key: amount (f64), hashes and route (u32), currency and night (u16). */
export const AMOUNT_AT = 16;
export const MERCHANT_AT = 24;
export const DEVICE_AT = 28;
export const ROUTE_AT = 32;
export const CURRENCY_AT = 38;

const NIGHT_HOURS = 6;

export type AccountProfile = Profile & {
  floor: RecordKey;
  ceiling: RecordKey;
  readonly frauds: KnownFrauds;
  readonly list: PackedList;
};

export function insertAccountRecord(
  profile: AccountProfile,
  index: number,
  arrivals: Arrivals,
  arrival: number,
): void {
  const at = openRecord(profile.list, index);
  writeAccountRecord(profile.list.records, at, arrivals, arrival);
}

export function writeAccountRecord(
  view: DataView,
  at: number,
  arrivals: Arrivals,
  arrival: number,
): void {
  writeKey(view, at, ACCOUNT_RECORD_BYTES, keyOfArrival(arrivals, arrival));
  const isNight = (arrivals.ms[arrival] as number) % DAY_MS < NIGHT_HOURS * HOUR_MS;
  view.setFloat64(at + AMOUNT_AT, arrivals.minor[arrival] as number, true);
  view.setUint32(at + MERCHANT_AT, arrivals.merchant[arrival] as number, true);
  view.setUint32(at + DEVICE_AT, arrivals.device[arrival] as number, true);
  view.setUint32(at + ROUTE_AT, arrivals.route[arrival] as number, true);
  const currency = arrivals.currency[arrival] as number;
  view.setUint16(at + CURRENCY_AT, isNight ? currency | NIGHT_BIT : currency, true);
}

/** Cuts a list that is too long; dropped records raise the floor. */
export function boundAccount(profile: AccountProfile): void {
  const { list } = profile;
  if (list.count <= ACCOUNT_PROFILE_ENTRIES) return;
  const dropped = list.count - ACCOUNT_CUT_ENTRIES;
  profile.floor = keyAt(list, dropped - 1);
  dropOldest(list, dropped);
}

export function rebuildAccount(past: AccountPast): AccountProfile {
  const list = createList(ACCOUNT_RECORD_BYTES, past.rows.length + 2);
  const profile: AccountProfile = {
    floor: keyOf(past.floor),
    ceiling: past.ceiling === null ? AFTER_ALL : keyOf(past.ceiling),
    countedTo: 0,
    frauds: past.frauds,
    list,
  };
  for (const row of past.rows) insertAccountRecord(profile, list.count, arrivalOf(row), 0);
  return profile;
}
