/** The stored bytes of a merchant's profile; the layout is in merchant-profile.ts. */
import {
  createRunningSum,
  MERCHANT_ITEM_BYTES,
  type MerchantProfile,
  type Tally,
} from './merchant-profile.ts';
import { listBytes, PLACE_BYTES, readList, readPlace, writePlace } from './packed-list.ts';
import {
  headerDigest,
  headerFormat,
  headerOf,
  nextHeader,
  PROFILE_HEADER_BYTES,
  type ProfileWrite,
} from './profile.ts';

const FORMAT = 0x21;
const TALLY_BYTES = 24;
const TALLIES_OFFSET = PROFILE_HEADER_BYTES + 2 * PLACE_BYTES + 16;

export function decodeMerchant(stored: Buffer): MerchantProfile | undefined {
  const header = headerOf(stored);
  if (header === null || headerFormat(header) !== FORMAT) return undefined;
  if (stored.length < TALLIES_OFFSET) return undefined;
  const tallies = stored.readUInt32LE(TALLIES_OFFSET - 8);
  const itemsOffset = TALLIES_OFFSET + tallies * TALLY_BYTES;
  const itemsBytes = stored.length - itemsOffset;
  if (itemsBytes < 0 || itemsBytes % MERCHANT_ITEM_BYTES !== 0) return undefined;
  return {
    stored: header,
    digest: headerDigest(header),
    horizon: readPlace(stored, PROFILE_HEADER_BYTES),
    ceiling: readPlace(stored, PROFILE_HEADER_BYTES + PLACE_BYTES),
    knownFromMs: stored.readDoubleLE(TALLIES_OFFSET - 16),
    tallies: Array.from({ length: tallies }, (_, index) =>
      readTally(stored, TALLIES_OFFSET + index * TALLY_BYTES),
    ),
    list: readList(MERCHANT_ITEM_BYTES, stored.subarray(itemsOffset)),
    runningSum: createRunningSum(),
  };
}

/** The whole value under a header. */
export function encodeMerchant(profile: MerchantProfile, header: Buffer): Buffer {
  const { tallies, list } = profile;
  const prefix = Buffer.alloc(2 * PLACE_BYTES + 16 + tallies.length * TALLY_BYTES);
  writePlace(prefix, 0, profile.horizon);
  writePlace(prefix, PLACE_BYTES, profile.ceiling);
  prefix.writeDoubleLE(profile.knownFromMs, 2 * PLACE_BYTES);
  prefix.writeUInt32LE(tallies.length, 2 * PLACE_BYTES + 8);
  let offset = 2 * PLACE_BYTES + 16;
  for (const tally of tallies) {
    prefix.writeDoubleLE(tally.bucketMs, offset);
    prefix.writeDoubleLE(tally.sum, offset + 8);
    prefix.writeUInt32LE(tally.count, offset + 16);
    prefix.writeUInt16LE(tally.currency, offset + 20);
    prefix.writeUInt16LE(tally.daily ? 1 : 0, offset + 22);
    offset += TALLY_BYTES;
  }
  return Buffer.concat([header, prefix, listBytes(list, 0, list.count)]);
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

export function writeMerchant(profile: MerchantProfile): ProfileWrite | undefined {
  const { list, stored } = profile;
  if (list.storedCount === list.count && stored !== null) return undefined;
  const header = nextHeader(stored, profile.digest, FORMAT);
  const mark = { header, count: list.count, moves: list.moves };
  if (stored !== null && list.storedCount >= 0) {
    const bytes = listBytes(list, list.storedCount, list.count);
    return { kind: 'append', expected: stored, bytes, ...mark };
  }
  return { kind: 'replace', expected: stored, value: encodeMerchant(profile, header), ...mark };
}
