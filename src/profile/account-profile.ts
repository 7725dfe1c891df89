/**
 * An account's profile: the packed, time-sorted list of its recent transactions. Body of a stored
 * value: floor (24 bytes), ceiling (24), number of frauds (4), frauds (known-frauds.ts), items (40 each).
 *
 * Every known transaction of the account after `floor` and up to `ceiling` is in the list. The floor
 * rises when the list is full; the ceiling is finite only after a rebuild that found more rows behind
 * its point than it may read.
 */

import type { AccountPast, KnownFrauds } from '../domain/history.ts';
import { type Arrivals, arrivalsOf, readArrivalPlace } from './arrivals.ts';
import { chainFrauds, fraudsBytes, readFrauds, writeFrauds } from './known-frauds.ts';
import {
  AFTER_ALL,
  adoptList,
  BEFORE_ALL,
  createList,
  dropOldest,
  openItem,
  type PackedList,
  PLACE_BYTES,
  type Place,
  placeAt,
  placeOf,
  readPlace,
  writePlace,
} from './packed-list.ts';
import {
  chainDigest,
  headerDigest,
  isCount,
  type Profile,
  type ProfileHeader,
  type ProfileLayout,
  type StoredBody,
  viewFrom,
} from './profile.ts';
import { type TakeRoom, takeOwn } from './room.ts';

/** A list longer than this is cut to ACCOUNT_KEPT_ENTRIES: room for late arrivals, few rewrites. */
export const ACCOUNT_PROFILE_ENTRIES = 320;
export const ACCOUNT_KEPT_ENTRIES = 288;
export const ACCOUNT_ITEM_BYTES = 40;
/** The last half word of an item: the currency's 15 bits and whether it was night. */
export const CURRENCY_BITS = 0x7fff;
export const NIGHT_BIT = 0x8000;
/** The country's share of an item's route; the corridor stands above it. */
export const COUNTRY_BITS = 0x3ff;

/** Where an item has what follows its place: amount (f64), hashes and route (u32), currency and night (u16). */
export const AMOUNT_AT = 16;
export const MERCHANT_AT = 24;
export const DEVICE_AT = 28;
export const ROUTE_AT = 32;
export const CURRENCY_AT = 38;

const FORMAT = 0x73;
/** Floor, ceiling, number of frauds. */
const FRAUDS_OFFSET = 2 * PLACE_BYTES + 4;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NIGHT_HOURS = 6;

export type AccountProfile = Profile & {
  floor: Place;
  ceiling: Place;
  readonly frauds: KnownFrauds;
  readonly list: PackedList;
};

export function insertAccountItem(
  profile: AccountProfile,
  index: number,
  arrivals: Arrivals,
  arrival: number,
): void {
  const { list } = profile;
  const place = readArrivalPlace(arrivals, arrival, newPlace);
  openItem(list, index, place);
  const { items } = list;
  const at = index * ACCOUNT_ITEM_BYTES;
  const isNight = place.ms % DAY_MS < NIGHT_HOURS * HOUR_MS;
  items.setFloat64(at + AMOUNT_AT, arrivals.minor[arrival] as number, true);
  items.setUint32(at + MERCHANT_AT, arrivals.merchant[arrival] as number, true);
  items.setUint32(at + DEVICE_AT, arrivals.device[arrival] as number, true);
  items.setUint32(at + ROUTE_AT, arrivals.route[arrival] as number, true);
  const currency = arrivals.currency[arrival] as number;
  items.setUint16(at + CURRENCY_AT, isNight ? currency | NIGHT_BIT : currency, true);
  profile.digest = chainDigest(profile.digest, place.low);
}

const newPlace: Place = { ...BEFORE_ALL };

/** Cuts a list that is too long; what falls out raises the floor. */
export function boundAccount(profile: AccountProfile): void {
  const { list } = profile;
  if (list.count <= ACCOUNT_PROFILE_ENTRIES) return;
  const dropped = list.count - ACCOUNT_KEPT_ENTRIES;
  profile.floor = placeAt(list, dropped - 1);
  dropOldest(list, dropped);
}

export function rebuildAccount(
  past: AccountPast,
  stored: ProfileHeader | null,
  take: TakeRoom = takeOwn,
): AccountProfile {
  const floor = placeOf(past.floor);
  const ceiling = past.ceiling === null ? AFTER_ALL : placeOf(past.ceiling);
  const list = createList(ACCOUNT_ITEM_BYTES, past.rows.length + 2, take);
  const profile: AccountProfile = {
    stored,
    // A copy that reaches on and one that ends must not pass for each other, alike as their items may be.
    digest: chainFrauds(chainDigest(chainDigest(0, floor.low), ceiling.low), past.frauds),
    floor,
    ceiling,
    frauds: past.frauds,
    list,
  };
  const arrivals = arrivalsOf(past.rows);
  for (let row = 0; row < past.rows.length; row++) {
    insertAccountItem(profile, list.count, arrivals, row);
  }
  return profile;
}

export function decodeAccount(
  { view, length }: StoredBody,
  header: ProfileHeader,
  take: TakeRoom,
): AccountProfile | undefined {
  if (length < FRAUDS_OFFSET) return undefined;
  const frauds = view.getUint32(FRAUDS_OFFSET - 4, true);
  const itemsOffset = FRAUDS_OFFSET + fraudsBytes(frauds);
  const count = (length - itemsOffset) / ACCOUNT_ITEM_BYTES;
  if (!isCount(count)) return undefined;
  return {
    stored: header,
    digest: headerDigest(header),
    floor: readPlace(view, 0),
    ceiling: readPlace(view, PLACE_BYTES),
    frauds: readFrauds(view, FRAUDS_OFFSET, frauds),
    list: adoptList(ACCOUNT_ITEM_BYTES, count, viewFrom(view, itemsOffset), take),
  };
}

export const accountLayout: ProfileLayout<AccountProfile> = {
  format: FORMAT,
  prefixBytes: ({ frauds }) => FRAUDS_OFFSET + fraudsBytes(frauds.spans.length),
  encodePrefix(profile) {
    const { floor, ceiling, frauds } = profile;
    const prefix = Buffer.allocUnsafe(accountLayout.prefixBytes(profile));
    writePlace(prefix, 0, floor);
    writePlace(prefix, PLACE_BYTES, ceiling);
    prefix.writeUInt32LE(frauds.spans.length, FRAUDS_OFFSET - 4);
    writeFrauds(prefix, FRAUDS_OFFSET, frauds);
    return prefix;
  },
};
