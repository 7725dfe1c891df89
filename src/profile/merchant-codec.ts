/** The stored bytes of a merchant's profile; the layout is in merchant-profile.ts. */
import {
  createRunningSum,
  MERCHANT_ITEM_BYTES,
  type MerchantProfile,
  type Tally,
} from './merchant-profile.ts';
import { PLACE_BYTES, readList, readPlace, writePlace } from './packed-list.ts';
import {
  headerDigest,
  headerFormat,
  headerOf,
  PROFILE_HEADER_BYTES,
  type ProfileLayout,
} from './profile.ts';

const FORMAT = 0x72;
const TALLY_BYTES = 24;
/** Horizon, ceiling, known from, number of tallies. */
const TALLIES_OFFSET = 2 * PLACE_BYTES + 16;

export function decodeMerchant(stored: Buffer): MerchantProfile | undefined {
  const header = headerOf(stored);
  if (header === null || headerFormat(header) !== FORMAT) return undefined;
  const itemsEnd = stored.length - PROFILE_HEADER_BYTES;
  if (itemsEnd < TALLIES_OFFSET) return undefined;
  const tallies = stored.readUInt32LE(TALLIES_OFFSET - 8);
  const itemsOffset = TALLIES_OFFSET + tallies * TALLY_BYTES;
  const itemsBytes = itemsEnd - itemsOffset;
  if (itemsBytes < 0 || itemsBytes % MERCHANT_ITEM_BYTES !== 0) return undefined;
  return {
    stored: header,
    digest: headerDigest(header),
    horizon: readPlace(stored, 0),
    ceiling: readPlace(stored, PLACE_BYTES),
    knownFromMs: stored.readDoubleLE(TALLIES_OFFSET - 16),
    tallies: Array.from({ length: tallies }, (_, index) =>
      readTally(stored, TALLIES_OFFSET + index * TALLY_BYTES),
    ),
    list: readList(MERCHANT_ITEM_BYTES, stored.subarray(itemsOffset, itemsEnd)),
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

function readTally(stored: Buffer, offset: number): Tally {
  return {
    bucketMs: stored.readDoubleLE(offset),
    sum: stored.readDoubleLE(offset + 8),
    count: stored.readUInt32LE(offset + 16),
    currency: stored.readUInt16LE(offset + 20),
    daily: stored.readUInt16LE(offset + 22) === 1,
  };
}
