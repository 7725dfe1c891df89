/**
 * A logged vector as it is stored (bytea): the little-endian doubles of a Float64Array, every bit of a NaN included, without their
 * bytes that are 0, which are two thirds:
 *
 *   u8       how many doubles
 *   u8 each  a bit for each byte of the double that follows below, the lowest byte first
 *   bytes    the bytes with a bit
 */

import { crc32 } from 'node:zlib';
import type { RuleInputs } from '../../domain/score-record.ts';

const DOUBLE_BYTES = 8;
const WORD_BYTES = 4;
/** The count of doubles is a byte. */
const VECTOR_MAX = 255;

/** Stands for NaN, which has many bit patterns; no feature has this value. */
const MISSING = -Number.MAX_VALUE;
let scratch = new Float64Array(0);
let bytes = new Uint8Array(scratch.buffer);

/** Bytes of each vector, for one statement. Throws a RangeError for a vector of more than 255 doubles. */
export function packVectors(vectors: readonly Float64Array[]): Uint8Array[] {
  let room = 0;
  for (const { length } of vectors) {
    if (length > VECTOR_MAX) throw new RangeError(`a vector of ${length} numbers: at most 255`);
    room += 1 + (1 + DOUBLE_BYTES) * length;
  }
  const packed = new Uint8Array(room);
  let from = 0;
  return vectors.map((vector) => {
    const to = packVector(vector, packed, from);
    const bytes = packed.subarray(from, to);
    from = to;
    return bytes;
  });
}

function packVector(vector: Float64Array, packed: Uint8Array, from: number): number {
  const words = new Uint32Array(vector.buffer, vector.byteOffset, 2 * vector.length);
  packed[from] = vector.length;
  let at = from + 1 + vector.length;
  for (let index = 0; index < words.length; index++) {
    const lowBit = (index & 1) * WORD_BYTES;
    let mask = 0;
    // Whole numbers have a lower word of 0.
    for (let rest = words[index] as number, bit = lowBit; rest !== 0; rest >>>= 8, bit++) {
      if ((rest & 255) === 0) continue;
      mask |= 1 << bit;
      packed[at++] = rest;
    }
    const maskAt = from + 1 + (index >> 1);
    packed[maskAt] = (packed[maskAt] as number) | mask;
  }
  return at;
}

/** The vector; what damaged bytes lack is 0, and its checksum differs. */
export function toVector(bytes: Uint8Array): Float64Array {
  const count = bytes[0] ?? 0;
  const vector = new Float64Array(count);
  const words = new Uint32Array(vector.buffer);
  let at = 1 + count;
  for (let index = 0; index < words.length; index++) {
    let mask = ((bytes[1 + (index >> 1)] ?? 0) >> ((index & 1) * WORD_BYTES)) & 15;
    let word = 0;
    for (let shift = 0; mask !== 0; mask >>= 1, shift += 8) {
      if ((mask & 1) !== 0) word |= (bytes[at++] ?? 0) << shift;
    }
    words[index] = word;
  }
  return vector;
}

/**
 * A checksum of what a score was decided on: the logged vector, and what rules read beside it. Recomputing a score notices only changes that affect it, and trees ignore most
 * bits; CRC-32 finds every single flipped bit.
 * Signed, as Postgres' integers are.
 */
export function vectorChecksum(vector: Float64Array, ruleInputs: RuleInputs | null): number {
  if (scratch.length !== vector.length) {
    scratch = new Float64Array(vector.length);
    bytes = new Uint8Array(scratch.buffer);
  }
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index] as number;
    scratch[index] = Number.isNaN(value) ? MISSING : value;
  }
  const ofVector = crc32(bytes);
  return (ruleInputs === null ? ofVector : crc32(JSON.stringify(ruleInputs), ofVector)) | 0;
}
