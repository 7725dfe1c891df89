/**
 * Exact order statistics of a few hundred positive doubles without sorting them: as their upper 32 bits rise with
 * them, a histogram of those finds the few among which a rank lies. Measured for two ranks of values in no order: 2.0 µs
 * of 250 where Hoare's selection takes 4.5, 0.35 of 25 where it takes 0.5, 0.25 of 12 where it takes 0.2.
 */

/** Up to this many values Hoare's selection alone is cheaper. */
const FEW = 16;
const BIN_BITS = 7;

const counts = new Uint16Array(1 << BIN_BITS);

/** Numbers to rank: `values` holds the first `count`; `words` is a view of the same bytes, little-endian. */
type Ranked = {
  readonly values: Float64Array;
  readonly words: Uint32Array;
  /** Allocates space for this many values. */
  readonly candidates: Float64Array;
};

export function createRanked(values: Float64Array<ArrayBuffer>): Ranked {
  return {
    values,
    words: new Uint32Array(values.buffer, values.byteOffset, 2 * values.length),
    candidates: new Float64Array(values.length),
  };
}

/**
 * @param ranks rising, 1 is the least, at most `count`
 * @param into one value a rank
 */
export function selectRanks(
  ranked: Ranked,
  count: number,
  ranks: Uint16Array,
  into: Float64Array,
): void {
  if (count > FEW) selectByHistogram(ranked, count, ranks, into);
  else {
    const { values, candidates } = ranked;
    for (let index = 0; index < count; index++) candidates[index] = values[index] as number;
    for (let index = 0; index < ranks.length; index++) {
      into[index] = selectRank(candidates, count, ranks[index] as number);
    }
  }
}

function selectByHistogram(
  ranked: Ranked,
  count: number,
  ranks: Uint16Array,
  into: Float64Array,
): void {
  const { words } = ranked;
  let least = 0xffffffff;
  let most = 0;
  for (let index = 0; index < count; index++) {
    const word = words[2 * index + 1] as number;
    if (word < least) least = word;
    if (word > most) most = word;
  }
  const shift = Math.max(0, 32 - Math.clz32(most - least) - BIN_BITS);
  counts.fill(0);
  for (let index = 0; index < count; index++) {
    const bin = ((words[2 * index + 1] as number) - least) >>> shift;
    counts[bin] = (counts[bin] as number) + 1;
  }
  let bin = 0;
  let before = 0;
  for (let index = 0; index < ranks.length; index++) {
    const rank = ranks[index] as number;
    while (before + (counts[bin] as number) < rank) before += counts[bin++] as number;
    const found = gather(ranked, count, least + (bin << shift), shift);
    into[index] = selectRank(ranked.candidates, found, rank - before);
  }
}

/** Collects the values whose upper word is in the bin that begins with `firstWord`; returns their number. */
function gather(
  { values, words, candidates }: Ranked,
  count: number,
  firstWord: number,
  shift: number,
): number {
  let found = 0;
  for (let index = 0; index < count; index++) {
    const word = words[2 * index + 1] as number;
    if ((word - firstWord) >>> shift !== 0) continue;
    candidates[found++] = values[index] as number;
  }
  return found;
}

/** The rank-th least of the first `count` values, by Hoare's selection; reorders them. */
function selectRank(values: Float64Array, count: number, rank: number): number {
  const wanted = rank - 1;
  let left = 0;
  let right = count - 1;
  while (left < right) {
    const split = partition(values, left, right);
    if (wanted <= split) right = split;
    else left = split + 1;
  }
  return values[wanted] as number;
}

/** Invariant afterwards: no value in [left, split] exceeds one in (split, right]. */
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
