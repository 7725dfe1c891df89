/**
 * Says of most keys that a sealed slice does not hold them, from memory: the digests in their order, cut to the 16
 * bits that the bucket does not tell. A digest that the slice holds is always found; another one is taken for held
 * in 1 of about 4,000 cases, and is then looked up. 18 bits a key.
 */
import { uuidOffset } from './binary-array.ts';
import type { KeyDigests } from './key-digest.ts';

/** Bytes of a digest that the filter is made of: 4 choose the bucket, 2 are kept. */
export const PREFIX_BYTES = 6;
/** A bucket's start costs 32 bits, and each key in it a comparison. */
const KEYS_EACH_BUCKET = 16;
const BUCKET_BITS_MAX = 30;

export type KeyFilter = {
  readonly bytes: number;
  readonly mayHold: (digests: KeyDigests, position: number) => boolean;
};

export type KeyFilterBuilder = {
  /** Prefixes in ascending order, all behind those before. Throws a RangeError beyond `keysMax`. */
  readonly add: (prefixes: Buffer) => void;
  readonly build: () => KeyFilter;
};

export function filterBytes(keysMax: number): number {
  return keysMax * 2 + (2 ** bucketBits(keysMax) + 1) * 4;
}

/** @param keysMax no less than the number of keys that are added, and not much more. */
export function createKeyFilterBuilder(keysMax: number): KeyFilterBuilder {
  const shift = 32 - bucketBits(keysMax);
  const tags = new Uint16Array(keysMax);
  const starts = new Uint32Array(2 ** (32 - shift) + 1);
  let keys = 0;
  let bucket = 0;
  return {
    add(prefixes) {
      if (keys + prefixes.length / PREFIX_BYTES > keysMax) {
        throw new RangeError(`a slice holds more than ${keysMax} keys`);
      }
      for (let at = 0; at < prefixes.length; at += PREFIX_BYTES) {
        const next = prefixes.readUInt32BE(at) >>> shift;
        while (bucket < next) starts[++bucket] = keys;
        tags[keys++] = prefixes.readUInt16BE(at + 4);
      }
    },
    build() {
      while (bucket < starts.length - 1) starts[++bucket] = keys;
      return {
        bytes: tags.byteLength + starts.byteLength,
        mayHold({ array }, position) {
          const offset = uuidOffset(position);
          const home = array.readUInt32BE(offset) >>> shift;
          const tag = array.readUInt16BE(offset + 4);
          const end = starts[home + 1] as number;
          for (let at = starts[home] as number; at < end; at++) if (tags[at] === tag) return true;
          return false;
        },
      };
    },
  };
}

/** At least 1: JavaScript shifts by 32 bits as by none. */
function bucketBits(keys: number): number {
  const bits = Math.ceil(Math.log2(Math.max(keys, 1) / KEYS_EACH_BUCKET));
  return Math.min(Math.max(bits, 1), BUCKET_BITS_MAX);
}
