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
export const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Scores of one time, with ids and hashes one behind the other. */
export type HashedScores = {
  readonly ids: Buffer;
  readonly hashes: Buffer;
  readonly scoredAtMs: number;
};

/** A leaf of scores with the range by which they are found: times of scoring, or ids where the walk found them. */
export type NewSet = {
  readonly leaf: Leaf;
  readonly ids: Buffer;
  readonly hashes: Buffer;
  readonly scoredFromMs: number | null;
  readonly scoredToMs: number | null;
  readonly idFrom: string | null;
  readonly idTo: string | null;
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

/** @returns an element for each score */
export const separate = ({ ids, hashes, scoredAtMs }: HashedScores): HashedScores[] =>
  hashesOf(hashes).map((hash, nth) => ({
    ids: ids.subarray(nth * ID_BYTES, (nth + 1) * ID_BYTES),
    hashes: hash,
    scoredAtMs,
  }));

/** @param isBefore whether the walk has found the scores, which come in the order of their ids then */
export function setsOf(
  scores: readonly HashedScores[],
  sealedAt: string,
  isBefore: boolean,
): NewSet[] {
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
    const leaf = setLeaf(hashes, sealedAt, isBefore);
    sets.push({ leaf, ids, hashes, ...(isBefore ? byIds(ids) : byTimes(times.slice(from, to))) });
  }
  return sets;
}

const byTimes = (times: readonly number[]) => ({
  scoredFromMs: Math.min(...times),
  scoredToMs: Math.max(...times),
  idFrom: null,
  idTo: null,
});

const byIds = (ids: Buffer) => ({
  scoredFromMs: null,
  scoredToMs: null,
  idFrom: idsOf(ids.subarray(0, ID_BYTES))[0] ?? FIRST_ID,
  idTo: idsOf(ids.subarray(-ID_BYTES))[0] ?? FIRST_ID,
});
