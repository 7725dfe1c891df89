/**
 * Columns cut into at most 255 bins each, so that splits are searched among bins instead of values. Bin b holds
 * the values that are not below b cuts; a split "below cut c" is exactly "bin <= c".
 */

/** Most bins of values; one byte has one value more, for missing ones. */
export const VALUE_BINS_MAX = 255;
/** The bin of missing values. */
export const MISSING_BIN = 255;

export type BinnedColumn = {
  /** Rising float32 values. */
  readonly cuts: Float32Array;
  /** The bin of each row. */
  readonly bins: Uint8Array;
};

/**
 * Cuts between values so that the bins hold about as many rows each; a value that fills more than a bin has a
 * bin to itself. With few distinct values there is a cut between every two.
 * @param binsMax 2 to VALUE_BINS_MAX
 */
export function findCuts(column: Float32Array, binsMax: number): Float32Array {
  const sorted = column.slice().sort();
  // Typed arrays sort NaN behind everything.
  let present = sorted.length;
  while (present > 0 && Number.isNaN(sorted[present - 1])) present--;
  const distinct = countDistinct(sorted, present);
  const cuts = new Float32Array(Math.min(distinct, binsMax));
  let cut = 0;
  let taken = 0;
  let start = 0;
  while (start < present && cut < binsMax - 1) {
    const value = sorted[start] ?? 0;
    let end = start;
    while (end < present && sorted[end] === value) end++;
    const full = (present - taken) / (binsMax - cut);
    if (end < present && (distinct <= binsMax || end - taken >= full)) {
      cuts[cut++] = between(value, sorted[end] ?? 0);
      taken = end;
    }
    start = end;
  }
  return cuts.slice(0, cut);
}

export function binColumn(column: Float32Array, cuts: Float32Array): Uint8Array {
  const bins = new Uint8Array(column.length);
  for (let row = 0; row < column.length; row++) {
    const value = column[row] ?? Number.NaN;
    bins[row] = Number.isNaN(value) ? MISSING_BIN : countNotAbove(cuts, value);
  }
  return bins;
}

function countDistinct(sorted: Float32Array, present: number): number {
  let distinct = 0;
  for (let at = 0; at < present; at++) {
    if (at === 0 || sorted[at] !== sorted[at - 1]) distinct++;
  }
  return distinct;
}

/** A float32 above the lower value and not above the upper one; the middle where there is one. */
function between(lower: number, upper: number): number {
  const middle = Math.fround(lower / 2 + upper / 2);
  return middle > lower && middle <= upper ? middle : upper;
}

/** The bin of a value: how many of the rising cuts are not above it. */
export function countNotAbove(cuts: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cuts[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
