/** The stored bytes of a merchant's profile; the layout is in merchant-profile.ts. */
import { fraudsBytes, readFrauds, writeFrauds } from './known-frauds.ts';
import { createCursors } from './merchant-cursors.ts';
import { MERCHANT_ITEM_BYTES } from './merchant-item.ts';
import type { MerchantProfile } from './merchant-profile.ts';
import { adoptList, PLACE_BYTES, readPlace, writePlace } from './packed-list.ts';
import {
  headerDigest,
  isCount,
  type ProfileHeader,
  type ProfileLayout,
  type StoredBody,
  viewFrom,
} from './profile.ts';
import type { TakeRoom } from './room.ts';
import { createTallies, type Tallies, type Tally } from './tallies.ts';

const FORMAT = 0x74;
const TALLY_BYTES = 24;
/** Horizon, ceiling, known from, numbers of tallies and frauds, maturity of labels. */
const TALLIES_OFFSET = 2 * PLACE_BYTES + 20;
const KNOWN_FROM_AT = TALLIES_OFFSET - 20;
const TALLIES_AT = TALLIES_OFFSET - 12;
const FRAUDS_AT = TALLIES_OFFSET - 8;
const MATURITY_AT = TALLIES_OFFSET - 4;

/** Undefined also for one with another maturity of labels, whose tallies are of other hours. */
export function decodeMerchant(
  { view, length }: StoredBody,
  header: ProfileHeader,
  take: TakeRoom,
  maturityDays: number,
): MerchantProfile | undefined {
  if (length < TALLIES_OFFSET) return undefined;
  if (view.getUint32(MATURITY_AT, true) !== maturityDays) return undefined;
  const tallies = view.getUint32(TALLIES_AT, true);
  const frauds = view.getUint32(FRAUDS_AT, true);
  const fraudsOffset = TALLIES_OFFSET + tallies * TALLY_BYTES;
  const itemsOffset = fraudsOffset + fraudsBytes(frauds);
  const count = (length - itemsOffset) / MERCHANT_ITEM_BYTES;
  if (!isCount(count)) return undefined;
  return {
    stored: header,
    digest: headerDigest(header),
    horizon: readPlace(view, 0),
    ceiling: readPlace(view, PLACE_BYTES),
    knownFromMs: view.getFloat64(KNOWN_FROM_AT, true),
    maturityDays,
    tallies: readTallies(view, tallies),
    frauds: readFrauds(view, fraudsOffset, frauds),
    list: adoptList(MERCHANT_ITEM_BYTES, count, viewFrom(view, itemsOffset), take),
    cursors: createCursors(),
  };
}

export const merchantLayout: ProfileLayout<MerchantProfile> = {
  format: FORMAT,
  prefixBytes: ({ tallies, frauds }) =>
    TALLIES_OFFSET + tallies.list.length * TALLY_BYTES + fraudsBytes(frauds.spans.length),
  encodePrefix(profile) {
    const { tallies, frauds, horizon, ceiling, knownFromMs, maturityDays } = profile;
    const prefix = Buffer.alloc(merchantLayout.prefixBytes(profile));
    writePlace(prefix, 0, horizon);
    writePlace(prefix, PLACE_BYTES, ceiling);
    prefix.writeDoubleLE(knownFromMs, KNOWN_FROM_AT);
    prefix.writeUInt32LE(tallies.list.length, TALLIES_AT);
    prefix.writeUInt32LE(frauds.spans.length, FRAUDS_AT);
    prefix.writeUInt32LE(maturityDays, MATURITY_AT);
    tallies.list.forEach((tally, index) => {
      writeTally(prefix, TALLIES_OFFSET + index * TALLY_BYTES, tally);
    });
    writeFrauds(prefix, TALLIES_OFFSET + tallies.list.length * TALLY_BYTES, frauds);
    return prefix;
  },
};

function writeTally(bytes: Buffer, offset: number, tally: Tally): void {
  bytes.writeDoubleLE(tally.bucketMs, offset);
  bytes.writeDoubleLE(tally.sum, offset + 8);
  bytes.writeUInt32LE(tally.count, offset + 16);
  bytes.writeUInt16LE(tally.currency, offset + 20);
  bytes.writeUInt16LE(tally.daily ? 1 : 0, offset + 22);
}

function readTallies(view: DataView, count: number): Tallies {
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
