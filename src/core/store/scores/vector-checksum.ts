/**
 * A checksum of what a score was decided on: the logged vector, and what rules read beside it. Recomputing a score notices only changes that affect it, and trees ignore most
 * bits; CRC-32 finds every single flipped bit.
 */
import { crc32 } from 'node:zlib';
import type { RuleInputs } from '../../domain/score-record.ts';

/** Stands for NaN, which has many bit patterns; no feature has this value. */
const MISSING = -Number.MAX_VALUE;
let scratch = new Float64Array(0);
let bytes = new Uint8Array(scratch.buffer);

/** Signed, as Postgres' integers are. */
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
