/** Draws transactions that are checked although nothing speaks against them: by their ids alone, so every worker draws alike. */
import murmurhash from 'murmurhash';

/** Distinguishes the draw from the shards, which hash with seed 0. */
const SEED = 5;
const HASHES = 2 ** 32;

/** @param ratio share of the transactions that are drawn, from 0 to 1 */
export function isSpotCheck(transactionId: string, ratio: number): boolean {
  return ratio > 0 && murmurhash.v3(transactionId, SEED) < ratio * HASHES;
}
