/**
 * An account's profile: the packed, time-sorted list of its recent transactions. Body of a stored
 * value: floor (24 bytes), ceiling (24 bytes), items (40 bytes each).
 *
 * Every known transaction of the account after `floor` and up to `ceiling` is in the list. The floor
 * rises when the list is full; the ceiling is finite only after a rebuild that found more rows behind
 * its point than it may read.
 */

import { toMinorUnits } from '../domain/currency.ts';
import type { AccountPast, PastTransaction } from '../domain/history.ts';
import { hashText, packLetters } from './pack.ts';
import {
  AFTER_ALL,
  createList,
  dropOldest,
  listBytes,
  openItem,
  type PackedList,
  PLACE_BYTES,
  type Place,
  placeAt,
  placeOf,
  readList,
  readPlace,
  writePlace,
} from './packed-list.ts';
import {
  chainDigest,
  headerDigest,
  headerFormat,
  headerOf,
  nextHeader,
  PROFILE_HEADER_BYTES,
  type Profile,
  type ProfileWrite,
} from './profile.ts';

/** A list longer than this is cut to ACCOUNT_KEPT_ENTRIES: room for late arrivals, few rewrites. */
export const ACCOUNT_PROFILE_ENTRIES = 320;
export const ACCOUNT_KEPT_ENTRIES = 288;
export const ACCOUNT_ITEM_BYTES = 40;
/** The last half word of an item: the currency's 15 bits and whether it was night. */
export const CURRENCY_BITS = 0x7fff;
export const NIGHT_BIT = 0x8000;
/** The country's share of an item's route; the corridor stands above it. */
export const COUNTRY_BITS = 0x3ff;

const FORMAT = 0x11;
const BODY_OFFSET = PROFILE_HEADER_BYTES + 2 * PLACE_BYTES;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NIGHT_HOURS = 6;

export type AccountProfile = Profile & {
  digest: number;
  floor: Place;
  ceiling: Place;
  readonly list: PackedList;
};

/** A transaction as the list holds it. */
export type AccountItem = {
  readonly place: Place;
  readonly amountMinor: number;
  readonly merchant: number;
  readonly device: number;
  /** Corridor (20 bits) above country (10 bits). */
  readonly route: number;
  readonly currency: number;
  readonly night: boolean;
};

export function accountItem(transaction: PastTransaction): AccountItem {
  return {
    place: placeOf(transaction),
    amountMinor: toMinorUnits(transaction.amount, transaction.currency),
    merchant: hashText(transaction.merchantId),
    device: hashText(transaction.deviceId),
    route: (packLetters(transaction.corridor) << 10) | packLetters(transaction.country),
    currency: packLetters(transaction.currency),
    night: transaction.createdAtMs % DAY_MS < NIGHT_HOURS * HOUR_MS,
  };
}

/** Doubles: 0 created_at, 1 id (2 words), 2 amount; words: 6 merchant, 7 device, 8 route; halves: 18 id, 19 currency and night. */
export function insertAccountItem(profile: AccountProfile, index: number, item: AccountItem): void {
  const { list } = profile;
  openItem(list, index);
  const word = index * 10;
  list.doubles[index * 5] = item.place.ms;
  list.words[word + 2] = item.place.high;
  list.words[word + 3] = item.place.low;
  list.doubles[index * 5 + 2] = item.amountMinor;
  list.words[word + 6] = item.merchant;
  list.words[word + 7] = item.device;
  list.words[word + 8] = item.route;
  list.halves[index * 20 + 18] = item.place.top;
  list.halves[index * 20 + 19] = item.currency | (item.night ? NIGHT_BIT : 0);
  profile.digest = chainDigest(profile.digest, item.place.low);
}

/** Cuts a list that is too long; what falls out raises the floor. */
export function boundAccount(profile: AccountProfile): void {
  const { list } = profile;
  if (list.count <= ACCOUNT_PROFILE_ENTRIES) return;
  const dropped = list.count - ACCOUNT_KEPT_ENTRIES;
  profile.floor = placeAt(list, dropped - 1);
  dropOldest(list, dropped);
}

export function rebuildAccount(past: AccountPast, stored: Buffer | null): AccountProfile {
  const floor = placeOf(past.floor);
  const ceiling = past.ceiling === null ? AFTER_ALL : placeOf(past.ceiling);
  const list = createList(ACCOUNT_ITEM_BYTES, past.rows.length + 2);
  const profile: AccountProfile = {
    stored,
    digest: chainDigest(0, floor.low),
    floor,
    ceiling,
    list,
  };
  for (const row of past.rows) insertAccountItem(profile, list.count, accountItem(row));
  return profile;
}

export function decodeAccount(stored: Buffer): AccountProfile | undefined {
  const header = headerOf(stored);
  if (header === null || headerFormat(header) !== FORMAT) return undefined;
  const itemsBytes = stored.length - BODY_OFFSET;
  if (itemsBytes < 0 || itemsBytes % ACCOUNT_ITEM_BYTES !== 0) return undefined;
  return {
    stored: header,
    digest: headerDigest(header),
    floor: readPlace(stored, PROFILE_HEADER_BYTES),
    ceiling: readPlace(stored, PROFILE_HEADER_BYTES + PLACE_BYTES),
    list: readList(ACCOUNT_ITEM_BYTES, stored.subarray(BODY_OFFSET)),
  };
}

/** The whole value under a header. */
export function encodeAccount(profile: AccountProfile, header: Buffer): Buffer {
  const prefix = Buffer.allocUnsafe(2 * PLACE_BYTES);
  writePlace(prefix, 0, profile.floor);
  writePlace(prefix, PLACE_BYTES, profile.ceiling);
  return Buffer.concat([header, prefix, listBytes(profile.list, 0, profile.list.count)]);
}

export function writeAccount(profile: AccountProfile): ProfileWrite | undefined {
  const { list, stored } = profile;
  if (list.storedCount === list.count && stored !== null) return undefined;
  const header = nextHeader(stored, profile.digest, FORMAT);
  const mark = { header, count: list.count, moves: list.moves };
  if (stored !== null && list.storedCount >= 0) {
    const bytes = listBytes(list, list.storedCount, list.count);
    return { kind: 'append', expected: stored, bytes, ...mark };
  }
  return { kind: 'replace', expected: stored, value: encodeAccount(profile, header), ...mark };
}
