/** The stored bytes of a merchant's profile; the layout is in merchant-profile.ts. */
import {
  createRunningSum,
  MERCHANT_ITEM_BYTES,
  type MerchantProfile,
  type Tally,
} from './merchant-profile.ts';
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

const FORMAT = 0x72;
const TALLY_BYTES = 24;
/** Horizon, ceiling, known from, number of tallies. */
const TALLIES_OFFSET = 2 * PLACE_BYTES + 16;

export function decodeMerchant(
  { view, length }: StoredBody,
  header: ProfileHeader,
  take: TakeRoom,
): MerchantProfile | undefined {
  if (length < TALLIES_OFFSET) return undefined;
  const tallies = view.getUint32(TALLIES_OFFSET - 8, true);
  const itemsOffset = TALLIES_OFFSET + tallies * TALLY_BYTES;
  const count = (length - itemsOffset) / MERCHANT_ITEM_BYTES;
  if (!isCount(count)) return undefined;
  return {
    stored: header,
    digest: headerDigest(header),
    horizon: readPlace(view, 0),
    ceiling: readPlace(view, PLACE_BYTES),
    knownFromMs: view.getFloat64(TALLIES_OFFSET - 16, true),
    tallies: readTallies(view, tallies),
    list: adoptList(MERCHANT_ITEM_BYTES, count, viewFrom(view, itemsOffset), take),
    runningSum: createRunningSum(),
  };
}

export const merchantLayout: ProfileLayout<MerchantProfile> = {
  format: FORMAT,
  prefixBytes: ({ tallies }) => TALLIES_OFFSET + tallies.length * TALLY_BYTES,
  encodePrefix(profile) {
    const { tallies, horizon, ceiling, knownFromMs } = profile;
    const prefix = Buffer.alloc(merchantLayout.prefixBytes(profile));
    writePlace(prefix, 0, horizon);
    writePlace(prefix, PLACE_BYTES, ceiling);
    prefix.writeDoubleLE(knownFromMs, TALLIES_OFFSET - 16);
    prefix.writeUInt32LE(tallies.length, TALLIES_OFFSET - 8);
    tallies.forEach((tally, index) => {
      writeTally(prefix, TALLIES_OFFSET + index * TALLY_BYTES, tally);
    });
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

function readTallies(view: DataView, count: number): Tally[] {
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
  return tallies;
}
