/**
 * The stored form of a merchant's profile: horizon (24 bytes), ceiling (24), known-from (8), number of tallies
 * (4), number of frauds (4), maturity of labels in days (4), 4 zero bytes, tallies (24 each), frauds
 * (known-frauds.ts), items (32 each).
 */
import type { TakeBytes } from './arena.ts';
import { fraudsBytes, readFrauds, writeFrauds } from './known-frauds.ts';
import { CURSORS_BYTES, createCursors, readCursors, writeCursors } from './merchant-cursors.ts';
import { MERCHANT_ITEM_BYTES } from './merchant-item.ts';
import type { MerchantProfile } from './merchant-profile.ts';
import { adoptList, PLACE_BYTES, readPlace, writePlace } from './packed-list.ts';
import { type ProfileLayout, viewFrom } from './profile.ts';
import { createTallies, NO_TALLIES, type Tallies, type Tally } from './tallies.ts';

const FORMAT = 0x76;
const TALLY_BYTES = 24;
const KNOWN_FROM_AT = 2 * PLACE_BYTES;
const TALLIES_AT = KNOWN_FROM_AT + 8;
const FRAUDS_AT = TALLIES_AT + 4;
const MATURITY_AT = FRAUDS_AT + 4;
const TALLIES_OFFSET = MATURITY_AT + 8;

/** Undefined also for a profile with another maturity of labels, whose tallies have other hours. */
export function decodeMerchant(
  view: DataView<ArrayBuffer>,
  length: number,
  take: TakeBytes,
  maturityDays: number,
): MerchantProfile | undefined {
  if (length < TALLIES_OFFSET) return undefined;
  if (view.getUint32(MATURITY_AT, true) !== maturityDays) return undefined;
  const tallies = view.getUint32(TALLIES_AT, true);
  const frauds = view.getUint32(FRAUDS_AT, true);
  const fraudsOffset = TALLIES_OFFSET + tallies * TALLY_BYTES;
  const itemsOffset = fraudsOffset + fraudsBytes(frauds);
  if (length < itemsOffset) return undefined;
  const items = viewFrom(view, itemsOffset);
  const list = adoptList(MERCHANT_ITEM_BYTES, length - itemsOffset, items, take);
  if (list === undefined) return undefined;
  return {
    horizon: readPlace(view, 0),
    ceiling: readPlace(view, PLACE_BYTES),
    knownFromMs: view.getFloat64(KNOWN_FROM_AT, true),
    maturityDays,
    tallies: readTallies(view, tallies),
    frauds: readFrauds(view, fraudsOffset, frauds),
    list,
    cursors: createCursors(),
  };
}

export const merchantLayout: ProfileLayout<MerchantProfile> = {
  format: FORMAT,
  prefixBytes: ({ tallies, frauds }) =>
    TALLIES_OFFSET + tallies.list.length * TALLY_BYTES + fraudsBytes(frauds.spans.length),
  writePrefix(profile, view) {
    const { tallies, frauds, horizon, ceiling, knownFromMs, maturityDays } = profile;
    writePlace(view, 0, horizon);
    writePlace(view, PLACE_BYTES, ceiling);
    view.setFloat64(KNOWN_FROM_AT, knownFromMs, true);
    view.setUint32(TALLIES_AT, tallies.list.length, true);
    view.setUint32(FRAUDS_AT, frauds.spans.length, true);
    view.setUint32(MATURITY_AT, maturityDays, true);
    view.setUint32(MATURITY_AT + 4, 0, true);
    tallies.list.forEach((tally, index) => {
      writeTally(view, TALLIES_OFFSET + index * TALLY_BYTES, tally);
    });
    writeFrauds(view, TALLIES_OFFSET + tallies.list.length * TALLY_BYTES, frauds);
  },
  cursorsBytes: CURSORS_BYTES,
  writeCursors: ({ cursors, list }, view, at) => writeCursors(cursors, list, view, at),
  readCursors: ({ cursors, tallies, maturityDays }, view, at) =>
    readCursors(cursors, tallies, maturityDays, view, at),
};

function writeTally(view: DataView, offset: number, tally: Tally): void {
  view.setFloat64(offset, tally.bucketMs, true);
  view.setFloat64(offset + 8, tally.sum, true);
  view.setUint32(offset + 16, tally.count, true);
  view.setUint16(offset + 20, tally.currency, true);
  view.setUint16(offset + 22, tally.daily ? 1 : 0, true);
}

function readTallies(view: DataView, count: number): Tallies {
  if (count === 0) return NO_TALLIES;
  const tallies: Tally[] = [];
  for (let offset = TALLIES_OFFSET; tallies.length < count; offset += TALLY_BYTES) {
    tallies.push({
      bucketMs: view.getFloat64(offset, true),
      sum: view.getFloat64(offset + 8, true),
      count: view.getUint32(offset + 16, true),
      currency: view.getUint16(offset + 20, true),
      daily: view.getUint16(offset + 22, true) === 1,
    });
  }
  return createTallies(tallies);
}
