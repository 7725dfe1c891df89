/**
 * An account's profile: the packed, time-sorted list of its recent transactions. Body of a stored
 * value: floor (24 bytes), ceiling (24), number of frauds (4), frauds (known-frauds.ts), items (40 each).
 *
 * Every known transaction of the account after `floor` and up to `ceiling` is in the list. The floor
 * rises when the list is full; the ceiling is finite only after a rebuild that found more rows behind
 * its point than it may read.
 */

import type { AccountPast, KnownFrauds, PastTransaction } from '../domain/history.ts';
import { type Figures, figuresOf } from './figures.ts';
import { chainFrauds, fraudsBytes, readFrauds, writeFrauds } from './known-frauds.ts';
import { hashText, packLetters } from './pack.ts';
import {
  AFTER_ALL,
  adoptList,
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

/** A transaction as the list holds it. */
export type AccountItem = Figures & {
  readonly merchant: number;
  readonly device: number;
  /** Corridor (20 bits) above country (10 bits). */
  readonly route: number;
  readonly night: boolean;
};

export function accountItem(
  transaction: PastTransaction,
  { place, amountMinor, currency }: Figures,
): AccountItem {
  return {
    place,
    amountMinor,
    merchant: hashText(transaction.merchantId),
    device: hashText(transaction.deviceId),
    route: (packLetters(transaction.corridor) << 10) | packLetters(transaction.country),
    currency,
    night: transaction.createdAtMs % DAY_MS < NIGHT_HOURS * HOUR_MS,
  };
}

export function insertAccountItem(profile: AccountProfile, index: number, item: AccountItem): void {
  const { list } = profile;
  openItem(list, index, item.place);
  const { items } = list;
  const at = index * ACCOUNT_ITEM_BYTES;
  items.setFloat64(at + AMOUNT_AT, item.amountMinor, true);
  items.setUint32(at + MERCHANT_AT, item.merchant, true);
  items.setUint32(at + DEVICE_AT, item.device, true);
  items.setUint32(at + ROUTE_AT, item.route, true);
  items.setUint16(at + CURRENCY_AT, item.currency | (item.night ? NIGHT_BIT : 0), true);
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
  for (const row of past.rows)
    insertAccountItem(profile, list.count, accountItem(row, figuresOf(row)));
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
