/**
 * Counts distinct 32-bit hashes among at most a few hundred without allocating: an open-addressed
 * table whose slots carry the number of the count that filled them, so nothing is ever cleared.
 */
const SLOTS = 1024;
const SLOT_BITS = SLOTS - 1;

type DistinctCounter = {
  /** Begins a new count. */
  reset(): void;
  /** Adds a hash (not 0); at most SLOTS / 2 between resets. */
  add(hash: number): void;
  count(): number;
};

export function createDistinctCounter(): DistinctCounter {
  const hashes = new Uint32Array(SLOTS);
  const rounds = new Float64Array(SLOTS);
  let round = 0;
  let count = 0;
  return {
    reset() {
      round++;
      count = 0;
    },
    add(hash) {
      let slot = hash & SLOT_BITS;
      while (rounds[slot] === round) {
        if (hashes[slot] === hash) return;
        slot = (slot + 1) & SLOT_BITS;
      }
      rounds[slot] = round;
      hashes[slot] = hash;
      count++;
    },
    count: () => count,
  };
}
