/** Sets of scores, each a leaf of the log: ids and hashes of its scores, and the range by which the set of a score is found. */

import { type Leaf, setLeaf } from './contents.ts';
import { hashRows } from './score-hash.ts';
import type { ScoreTexts } from './score-texts.ts';
import { HASH_BYTES, hashesOf } from './tree.ts';

/**
 * Scores of a leaf. More: bundles are larger, as each has all hashes of its set; fewer: more rows and leaves. Ids and hashes of so
 * many fill the chunks of 1,996 bytes in which Postgres keeps them.
 */
export const SET_SCORES_MAX = 249;
export const ID_BYTES = 16;

/** Scores of one time, with ids and hashes one behind the other. */
export type HashedScores = {
  readonly ids: Buffer;
  readonly hashes: Buffer;
  readonly scoredAtMs: number;
};

/** A leaf of scores with the range of times of scoring by which they are found. */
export type NewSet = {
  readonly leaf: Leaf;
  readonly ids: Buffer;
  readonly hashes: Buffer;
  readonly scoredFromMs: number;
  readonly scoredToMs: number;
};

export function idsOf(bytes: Buffer): string[] {
  return Array.from({ length: bytes.length / ID_BYTES }, (_, index) => {
    const hex = bytes.toString('hex', index * ID_BYTES, (index + 1) * ID_BYTES);
    const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
    return [...parts, hex.slice(20)].join('-');
  });
}

/** @returns an element for each score */
export function hashedRows(rows: readonly ScoreTexts[]): HashedScores[] {
  const hashes = hashesOf(hashRows(rows));
  return rows.map(({ transactionId, scoredAtMs }, nth) => ({
    ids: Buffer.from(transactionId.replaceAll('-', ''), 'hex'),
    // hashRows returns a hash for each row.
    hashes: hashes[nth] as Buffer,
    scoredAtMs,
  }));
}

export function setsOf(scores: readonly HashedScores[], sealedAt: string): NewSet[] {
  const allIds = Buffer.concat(scores.map(({ ids }) => ids));
  const allHashes = Buffer.concat(scores.map(({ hashes }) => hashes));
  const times = scores.flatMap(({ ids, scoredAtMs }) =>
    new Array<number>(ids.length / ID_BYTES).fill(scoredAtMs),
  );
  const sets: NewSet[] = [];
  for (let from = 0; from < times.length; from += SET_SCORES_MAX) {
    const to = Math.min(times.length, from + SET_SCORES_MAX);
    const ids = allIds.subarray(from * ID_BYTES, to * ID_BYTES);
    const hashes = allHashes.subarray(from * HASH_BYTES, to * HASH_BYTES);
    const own = times.slice(from, to);
    sets.push({
      leaf: setLeaf(hashes, sealedAt),
      ids,
      hashes,
      scoredFromMs: Math.min(...own),
      scoredToMs: Math.max(...own),
    });
  }
  return sets;
}
