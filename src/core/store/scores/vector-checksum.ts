/**
 * A checksum of a logged vector. Recomputing a score notices only changes that affect it, and trees ignore most
 * bits; CRC-32 finds every single flipped bit.
 */
import { crc32 } from 'node:zlib';

/** Stands for NaN, which has many bit patterns; no feature has this value. */
const MISSING = -Number.MAX_VALUE;
let scratch = new Float64Array(0);
let bytes = new Uint8Array(scratch.buffer);

/** Signed, as Postgres' integers are. */
export function vectorChecksum(vector: Float64Array): number {
  if (scratch.length !== vector.length) {
    scratch = new Float64Array(vector.length);
    bytes = new Uint8Array(scratch.buffer);
  }
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index] as number;
    scratch[index] = Number.isNaN(value) ? MISSING : value;
  }
  return crc32(bytes) | 0;
}
