/** Draws transactions that are checked although nothing speaks against them: by their ids alone, so every worker draws alike. */

/** The last 32 bits of an id, which are random. */
const RANDOM_AT = 28;
const HASHES = 2 ** 32;

/**
 * Takes 0.1 µs, where murmur3 of the whole text takes 1.4: every transaction that is not reviewed is hashed.
 * @param ratio share of the transactions that are drawn, from 0 to 1
 */
export function isSpotCheck(transactionId: string, ratio: number): boolean {
  return ratio > 0 && mix(Number.parseInt(transactionId.slice(RANDOM_AT), 16)) < ratio * HASHES;
}

/** The finaliser of murmur3: each bit of the result depends on all bits of the argument. */
function mix(bits: number): number {
  let hash = bits ^ (bits >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
