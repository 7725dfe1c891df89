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

/** The split with the most gain, the first of equals; undefined when none has enough. Missing values are tried on both sides. */
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
    const start = feature * FEATURE_STRIDE;
    const bins = histogram.subarray(start, start + FEATURE_STRIDE);
    const [gradient = 0, hessian = 0] = bins.subarray(2 * MISSING_BIN);
    const scan = (leftMissing: Sums) => {
      const gain = best?.gain ?? Math.max(gainMin, before * GAIN_MIN);
      return scanBins(search, { feature, bins, node, bounds, before, leftMissing }, gain);
    };
    const right = scan(NOTHING);
    if (right !== undefined) {
      // Where no value was missing, later missing values go with most rows.
      const most = right.left.hessian >= right.right.hessian;
      best = { ...right, missingLeft: hessian <= 0 && most };
    }
    const left = hessian > 0 ? scan({ gradient, hessian }) : undefined;
    if (left !== undefined) best = { ...left, missingLeft: true };
  }
  return best;
}

/** Twice the reduction of the loss by a leaf with the best weight within bounds. */
function reduction(sums: Sums, l2: number, bounds: WeightBounds): number {
  const weight = weightOf(sums, l2, bounds);
  return -(2 * sums.gradient * weight + (sums.hessian + l2) * weight * weight);
}

const NOTHING: Sums = { gradient: 0, hessian: 0 };

type Scan = {
  readonly feature: number;
  readonly bins: Float64Array;
  readonly node: Sums;
  readonly bounds: WeightBounds;
  /** The node's own reduction of the loss. */
  readonly before: number;
  /** Sums of the missing values that go left. */
  readonly leftMissing: Sums;
};

/** The best cut of one feature with more gain; the first of equals. */
function scanBins(
  { columns, monotone, options }: SplitSearch,
  { feature, bins, node, bounds, before, leftMissing }: Scan,
  gainMin: number,
): Omit<Split, 'missingLeft'> | undefined {
  const { l2, childWeightMin } = options;
  const cuts = columns[feature]?.cuts.length ?? 0;
  const direction = monotone[feature] ?? 0;
  let { gradient, hessian } = leftMissing;
  let best: Omit<Split, 'missingLeft'> | undefined;
  for (let bin = 0; bin < cuts; bin++) {
    gradient += bins[2 * bin] as number;
    hessian += bins[2 * bin + 1] as number;
    const rest = node.hessian - hessian;
    if (hessian < childWeightMin) continue;
    if (rest < childWeightMin) break;
    const left = { gradient, hessian };
    const right = { gradient: node.gradient - gradient, hessian: rest };
    const gain = reduction(left, l2, bounds) + reduction(right, l2, bounds) - before;
    if (gain <= (best?.gain ?? gainMin)) continue;
    const rise = weightOf(right, l2, bounds) - weightOf(left, l2, bounds);
    if (rise * direction < 0) continue;
    best = { feature, bin, gain, left, right };
  }
  return best;
}
