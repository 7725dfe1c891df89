/**
 * Counts distinct 32-bit hashes among at most a few hundred without allocating: an open-addressed
 * table whose slots carry the number of the count that filled them, so nothing is ever cleared.
 */
const SLOTS = 1024;
const SLOT_BITS = SLOTS - 1;

const hashes = new Uint32Array(SLOTS);
const rounds = new Float64Array(SLOTS);
let round = 0;
let count = 0;

/** Begins a new count, which ends the one before. */
export function beginDistinct(): void {
  round++;
  count = 0;
}

/** Adds a hash (not 0), at most SLOTS / 2 a count; returns how many were distinct so far. */
export function addDistinct(hash: number): number {
  let slot = hash & SLOT_BITS;
  while (rounds[slot] === round) {
    if (hashes[slot] === hash) return count;
    slot = (slot + 1) & SLOT_BITS;
  }
  rounds[slot] = round;
  hashes[slot] = hash;
  return ++count;
}
