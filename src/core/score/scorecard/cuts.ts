/**
 * Cuts of a measure, and the bucket of a value among them. A night makes cuts from its own sample, so a bucket has a meaning only with the
 * table that has the cuts.
 */

/** Shares of a sample's values, in rising order: fine at both ends, where frauds are. */
const SHARES = [
  ...[0.0005, 0.002, 0.005, 0.01, 0.02, 0.05],
  ...[0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5],
  ...[0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95],
  ...[0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999],
];
/** Cuts of a measure that has some. */
export const CUTS: number = SHARES.length;
/** Buckets of a measure: the first CUTS + 1 are in the order of values, the last two stand for no value and for no cuts. */
export const BUCKETS: number = CUTS + 3;
/** Buckets whose neighbours have similar points. */
export const ORDERED_BUCKETS: number = CUTS + 1;
export const MISSING_BUCKET: number = CUTS + 1;
export const NO_CUTS_BUCKET: number = CUTS + 2;
/** Fewer: a cut at a share of 0.0005 or 0.9999 is the least or the greatest value. More: a rare feature is learnt later. */
const PRESENT_MIN = 300;

/** Cuts of many measures side by side: CUTS numbers a measure, all NaN for a measure without cuts. */
export type Cuts = Float32Array;

export function createCuts(measures: number): Cuts {
  return new Float32Array(measures * CUTS).fill(Number.NaN);
}

/**
 * Writes the cuts of one measure.
 * @param values of the sample, NaN where one is missing; sorted in place
 */
export function writeCuts(cuts: Cuts, measure: number, values: Float64Array): void {
  const at = measure * CUTS;
  // A typed array sorts NaN to the end.
  values.sort();
  const present = countPresent(values);
  if (present < PRESENT_MIN) {
    cuts.fill(Number.NaN, at, at + CUTS);
    return;
  }
  for (let cut = 0; cut < CUTS; cut++) {
    const rank = Math.min(present - 1, Math.floor((SHARES[cut] as number) * present));
    cuts[at + cut] = values[rank] as number;
  }
}

/** @param sorted NaN at the end */
function countPresent(sorted: Float64Array): number {
  let start = 0;
  let end = sorted.length;
  while (start < end) {
    const middle = (start + end) >> 1;
    if (Number.isNaN(sorted[middle])) end = middle;
    else start = middle + 1;
  }
  return start;
}

/**
 * The number of cuts below a value; a missing value and a measure without cuts have buckets of their own. The five comparisons for 31 cuts
 * set bits, as mispredicted branches would take four times as long.
 */
export function bucketOf(cuts: Cuts, measure: number, value: number): number {
  if (Number.isNaN(value)) return MISSING_BUCKET;
  const from = measure * CUTS;
  if (Number.isNaN(cuts[from])) return NO_CUTS_BUCKET;
  let at = from + 16 * Number((cuts[from + 15] as number) < value);
  at += 8 * Number((cuts[at + 7] as number) < value);
  at += 4 * Number((cuts[at + 3] as number) < value);
  at += 2 * Number((cuts[at + 1] as number) < value);
  at += Number((cuts[at] as number) < value);
  return at - from;
}
