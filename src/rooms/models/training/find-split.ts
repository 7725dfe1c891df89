/**
 * The best split of a node, from its histogram. Gain and leaf weight as in Chen and Guestrin, "XGBoost: a
 * scalable tree boosting system" (2016), section 2.2: a leaf with sums G of gradients and H of hessians
 * is best at w = -G / (H + l2), and there lowers the loss by -(2 G w + (H + l2) w^2) / 2 (the half is
 * left out, as XGBoost does). Under a monotone constraint w is clipped to the node's bounds.
 */
import { type BinnedColumn, MISSING_BIN } from '../bins.ts';
import { FEATURE_STRIDE } from './histogram.ts';
import type { TreeOptions } from './options.ts';

/** Least gain in proportion to the node's own reduction: below lies the noise of subtracting histograms. */
const GAIN_MIN = 1e-9;

export type Split = {
  readonly feature: number;
  /** Rows with this bin or one below go left. */
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly gain: number;
  readonly left: Sums;
  readonly right: Sums;
};

/** Sums of gradients and hessians. */
export type Sums = { readonly gradient: number; readonly hessian: number };

/** Least and greatest weight that monotone constraints of the splits above leave to a leaf. */
export type WeightBounds = { readonly low: number; readonly high: number };

export type SplitSearch = {
  readonly columns: readonly BinnedColumn[];
  /** Features this tree may split on. */
  readonly used: readonly number[];
  /** By feature: 1, -1, or 0 for no constraint. */
  readonly monotone: Int8Array;
  readonly options: TreeOptions;
};

/** Best weight of a leaf within bounds. */
export function weightOf(sums: Sums, l2: number, { low, high }: WeightBounds): number {
  return Math.min(high, Math.max(low, -sums.gradient / (sums.hessian + l2)));
}

/** The split with the most gain, the first of equals; undefined when none has enough. */
export function findSplit(
  search: SplitSearch,
  histogram: Float64Array,
  node: Sums,
  bounds: WeightBounds,
): Split | undefined {
  const { l2, gainMin } = search.options;
  const before = reduction(node, l2, bounds);
  let best: Split | undefined;
  for (const feature of search.used) {
    const found = findSplitOf(search, histogram, feature, node, bounds, {
      before,
      gain: best?.gain ?? Math.max(gainMin, before * GAIN_MIN),
    });
    if (found !== undefined) best = found;
  }
  return best;
}

/** Twice the reduction of the loss by a leaf with the best weight within bounds. */
function reduction(sums: Sums, l2: number, bounds: WeightBounds): number {
  const weight = weightOf(sums, l2, bounds);
  return -(2 * sums.gradient * weight + (sums.hessian + l2) * weight * weight);
}

/** The reduction before the split, and the gain to exceed. */
type Bar = { readonly before: number; readonly gain: number };

/** The best split on one feature with more than this gain; missing values are tried on both sides. */
function findSplitOf(
  search: SplitSearch,
  histogram: Float64Array,
  feature: number,
  node: Sums,
  bounds: WeightBounds,
  bar: Bar,
): Split | undefined {
  const cuts = search.columns[feature]?.cuts.length ?? 0;
  const start = feature * FEATURE_STRIDE;
  const bins = histogram.subarray(start, start + FEATURE_STRIDE);
  const direction = search.monotone[feature] ?? 0;
  const missing = { gradient: bins[2 * MISSING_BIN] ?? 0, hessian: bins[2 * MISSING_BIN + 1] ?? 0 };
  const scan = (leftMissing: Sums, gain: number) =>
    scanBins({ bins, cuts, node, bounds, direction, options: search.options }, leftMissing, {
      before: bar.before,
      gain,
    });
  const toRight = scan(NOTHING, bar.gain);
  const toLeft = missing.hessian > 0 ? scan(missing, toRight?.gain ?? bar.gain) : undefined;
  const found = toLeft ?? toRight;
  if (found === undefined) return undefined;
  // Where no value was missing, later missing values go with most rows.
  const most = found.left.hessian >= found.right.hessian;
  return { feature, missingLeft: missing.hessian > 0 ? toLeft !== undefined : most, ...found };
}

const NOTHING: Sums = { gradient: 0, hessian: 0 };

type BinScan = {
  readonly bins: Float64Array;
  readonly cuts: number;
  readonly node: Sums;
  readonly bounds: WeightBounds;
  readonly direction: number;
  readonly options: TreeOptions;
};

/** The best cut of one feature with missing values on one side; the first of equals. */
function scanBins(
  { bins, cuts, node, bounds, direction, options }: BinScan,
  leftMissing: Sums,
  bar: Bar,
): Pick<Split, 'bin' | 'gain' | 'left' | 'right'> | undefined {
  const { l2, childWeightMin } = options;
  let { gradient, hessian } = leftMissing;
  let gain = bar.gain;
  let best: Pick<Split, 'bin' | 'gain' | 'left' | 'right'> | undefined;
  for (let bin = 0; bin < cuts; bin++) {
    gradient += bins[2 * bin] as number;
    hessian += bins[2 * bin + 1] as number;
    const rest = node.hessian - hessian;
    if (hessian < childWeightMin) continue;
    if (rest < childWeightMin) break;
    const left = { gradient, hessian };
    const right = { gradient: node.gradient - gradient, hessian: rest };
    const here = reduction(left, l2, bounds) + reduction(right, l2, bounds) - bar.before;
    if (here <= gain) continue;
    const rise = weightOf(right, l2, bounds) - weightOf(left, l2, bounds);
    if (rise * direction < 0) continue;
    gain = here;
    best = { bin, gain, left, right };
  }
  return best;
}
