/**
 * Compares the distribution of values at a model's training, which is kept with the model, with later values:
 * the population stability index.
 */

import { naturalLog } from '../../../core/score/natural-log.ts';
import { countNotAbove, findCuts } from '../bins.ts';
import type { ValueHistogram } from '../model-reference.ts';

export type { ValueHistogram };

/** Deciles: the custom of the index, and few enough for a small share to be seen. */
const BINS_MAX = 10;
/** Share that an empty bin counts as; otherwise one new value would be an infinite drift. */
const SHARE_MIN = 1e-4;

/** @param values float32, as in training; NaN is missing */
export function describeValues(name: string, values: Float32Array): ValueHistogram {
  const cuts = findCuts(values, BINS_MAX);
  const counts = new Float64Array(cuts.length + 2);
  countValues({ cuts }, values, counts);
  return { name, cuts: [...cuts], shares: Array.from(counts, (count) => count / values.length) };
}

/** Adds values to the counts of their bins, which are as many as the histogram has shares. */
export function countValues(
  { cuts }: { readonly cuts: ArrayLike<number> },
  values: ArrayLike<number>,
  counts: Float64Array,
): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row] ?? Number.NaN;
    const bin = Number.isNaN(value) ? cuts.length + 1 : countNotAbove(cuts, Math.fround(value));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
}

/**
 * The sum over the bins of (now - then) * ln(now / then). 0 is no difference; by convention below 0.1 is little
 * and above 0.25 much (Siddiqi, "Credit Risk Scorecards", 2006). NaN without counts.
 */
export function stabilityIndex({ shares }: ValueHistogram, counts: Float64Array): number {
  const rows = counts.reduce((sum, count) => sum + count, 0);
  if (rows === 0) return Number.NaN;
  return shares.reduce((sum, share, bin) => {
    const then = Math.max(share, SHARE_MIN);
    const now = Math.max((counts[bin] ?? 0) / rows, SHARE_MIN);
    return sum + (now - then) * naturalLog(now / then);
  }, 0);
}
