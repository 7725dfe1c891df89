/**
 * Tells for most keys, from memory, that no sealed slice holds them: a Bloom filter in blocks of 64 bytes, so
 * that a key costs one cache miss however many slices the filter covers. A digest that was added is always
 * found; another one is a false positive in about 1 of 2,000 cases, and is then looked up. 20 bits a key.
 */
import { uuidOffset } from '../../../kit/database/binary-array.ts';
import type { KeyDigests } from './key-digest.ts';

/** Bytes of a digest that the filter uses: 4 choose the block, 4 and 4 three bits of it each. */
export const PREFIX_BYTES = 12;
const BITS_EACH_KEY = 20;
const BLOCK_WORDS = 16;
const BLOCK_BITS = 512;

export type KeyFilter = {
  readonly bytes: number;
  /** Prefixes of digests, PREFIX_BYTES each. */
  readonly add: (prefixes: Buffer) => void;
  /** Marks the positions whose keys may have been added; returns whether there was any. */
  readonly mark: (digests: KeyDigests, marks: Uint8Array) => boolean;
};

export function filterBytes(keys: number): number {
  return blocksFor(keys) * BLOCK_WORDS * 4;
}

/** The most keys that a filter of this many bytes is made for. */
export function filterKeys(bytes: number): number {
  return Math.floor((bytes * 8) / BITS_EACH_KEY);
}

/** @param keysMax beyond it false positives become more frequent */
export function createKeyFilter(keysMax: number): KeyFilter {
  const blocks = blocksFor(keysMax);
  const words = new Uint32Array(blocks * BLOCK_WORDS);
  const blockOf = (choice: number) => Math.floor((choice * blocks) / 2 ** 32) * BLOCK_WORDS;
  return {
    bytes: words.byteLength,
    add(prefixes) {
      for (let at = 0; at < prefixes.length; at += PREFIX_BYTES) {
        const block = blockOf(prefixes.readUInt32BE(at));
        for (const bits of [prefixes.readUInt32BE(at + 4), prefixes.readUInt32BE(at + 8)]) {
          for (let shift = 0; shift < 27; shift += 9) {
            const bit = (bits >>> shift) & (BLOCK_BITS - 1);
            const word = block + (bit >>> 5);
            words[word] = (words[word] as number) | (1 << (bit & 31));
          }
        }
      }
    },
    mark({ array, count }, marks) {
      const view = new DataView(array.buffer, array.byteOffset, array.byteLength);
      let isAny = false;
      for (let position = 0; position < count; position++) {
        const offset = uuidOffset(position);
        const block = blockOf(view.getUint32(offset));
        if (!holds(words, block, view.getUint32(offset + 4))) continue;
        if (!holds(words, block, view.getUint32(offset + 8))) continue;
        marks[position] = 1;
        isAny = true;
      }
      return isAny;
    },
  };
}

/** Whether the three bits are set that 27 of 32 bits choose. */
function holds(words: Uint32Array, block: number, bits: number): boolean {
  return (
    isSet(words, block, bits & 511) &&
    isSet(words, block, (bits >>> 9) & 511) &&
    isSet(words, block, (bits >>> 18) & 511)
  );
}

function isSet(words: Uint32Array, block: number, bit: number): boolean {
  return (((words[block + (bit >>> 5)] as number) >>> (bit & 31)) & 1) === 1;
}

function blocksFor(keys: number): number {
  return Math.max(1, Math.ceil((keys * BITS_EACH_KEY) / BLOCK_BITS));
}
