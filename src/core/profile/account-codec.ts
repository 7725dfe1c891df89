/**
 * The stored form of an account's profile: floor (24 bytes), ceiling (24), number of frauds (4), 4 zero bytes,
 * frauds (known-frauds.ts), items (40 each).
 */
import { ACCOUNT_ITEM_BYTES, type AccountProfile } from './account-profile.ts';
import type { TakeBytes } from './arena.ts';
import { fraudsBytes, readFrauds, writeFrauds } from './known-frauds.ts';
import { adoptList, PLACE_BYTES, readPlace, writePlace } from './packed-list.ts';
import { type ProfileLayout, viewFrom } from './profile.ts';

const FORMAT = 0x75;
const COUNT_AT = 2 * PLACE_BYTES;
const FRAUDS_OFFSET = COUNT_AT + 8;

export function decodeAccount(
  view: DataView<ArrayBuffer>,
  length: number,
  take: TakeBytes,
): AccountProfile | undefined {
  if (length < FRAUDS_OFFSET) return undefined;
  const frauds = view.getUint32(COUNT_AT, true);
  const itemsOffset = FRAUDS_OFFSET + fraudsBytes(frauds);
  if (length < itemsOffset) return undefined;
  const items = viewFrom(view, itemsOffset);
  const list = adoptList(ACCOUNT_ITEM_BYTES, length - itemsOffset, items, take);
  if (list === undefined) return undefined;
  return {
    floor: readPlace(view, 0),
    ceiling: readPlace(view, PLACE_BYTES),
    frauds: readFrauds(view, FRAUDS_OFFSET, frauds),
    list,
  };
}

export const accountLayout: ProfileLayout<AccountProfile> = {
  format: FORMAT,
  prefixBytes: ({ frauds }) => FRAUDS_OFFSET + fraudsBytes(frauds.spans.length),
  writePrefix({ floor, ceiling, frauds }, view) {
    writePlace(view, 0, floor);
    writePlace(view, PLACE_BYTES, ceiling);
    view.setUint32(COUNT_AT, frauds.spans.length, true);
    view.setUint32(COUNT_AT + 4, 0, true);
    writeFrauds(view, FRAUDS_OFFSET, frauds);
  },
  cursorsBytes: 0,
  writeCursors() {},
  readCursors() {},
};
