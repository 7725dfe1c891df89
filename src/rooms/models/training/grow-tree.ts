/** Grows one tree on binned columns: the open leaf whose split gains most is split next. */
import { type BinnedColumn, MISSING_BIN } from '../bins.ts';
import type { LooseTree } from '../model/lay-out-trees.ts';
import {
  FEATURE_STRIDE,
  fillHistogram,
  type Gradients,
  type Scratch,
  subtractHistogram,
} from './histogram.ts';
import type { TreeOptions } from './options.ts';

/** A tree that can be run on bins as well as on values. */
export type GrownTree = LooseTree & { readonly splitBin: readonly number[] };

type GrowInput = {
  readonly search: SplitSearch;
  readonly gradients: Gradients;
  /** The rows that this tree is grown on; their order is changed. */
  readonly rows: Int32Array;
  readonly scratch: Scratch & { readonly rows: Int32Array };
  /** Added to every leaf, after the learning rate. */
  readonly offset: number;
};

/** Every number is rounded to the float32 that the file will hold. */
type Node = Record<Exclude<keyof GrownTree, 'path'>, number>;

/** A leaf that may still be split. */
type OpenLeaf = {
  readonly node: Node;
  readonly depth: number;
  readonly rows: Int32Array;
  readonly bounds: WeightBounds;
  readonly histogram: Float64Array;
  readonly split: Split;
};

const UNBOUNDED: WeightBounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** Least gain in proportion to the node's own reduction: below lies the noise of subtracting histograms. */
const GAIN_MIN = 1e-9;

type Split = {
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
type WeightBounds = { readonly low: number; readonly high: number };

type SplitSearch = {
  readonly columns: readonly BinnedColumn[];
  /** Features this tree may split on. */
  readonly used: readonly number[];
  /** By feature: 1, -1, or 0 for no constraint. */
  readonly monotone: Int8Array;
  readonly options: TreeOptions;
};

export function growTree(input: GrowInput): GrownTree {
  const { search, rows } = input;
  const { depthMax, leavesMax } = search.options;
  const nodes: Node[] = [];
  const addLeaf = (sums: Sums, bounds: WeightBounds) => {
    const node = toLeaf(input, sums, bounds);
    nodes.push(node);
    return node;
  };
  const open: OpenLeaf[] = [];
  const consider = (leaf: Omit<OpenLeaf, 'split'>, sums: Sums) => {
    if (leaf.depth >= depthMax) return;
    const split = findSplit(search, leaf.histogram, sums, leaf.bounds);
    if (split !== undefined) open.push({ ...leaf, split });
  };
  const total = sumsOf(input.gradients, rows);
  const histogram = new Float64Array(search.columns.length * FEATURE_STRIDE);
  fillHistogram(histogram, search.columns, search.used, rows, input.gradients, input.scratch);
  const root = addLeaf(total, UNBOUNDED);
  consider({ node: root, depth: 0, rows, bounds: UNBOUNDED, histogram }, total);
  for (let leaves = 1; leaves < leavesMax && open.length > 0; leaves++) {
    const leaf = takeBest(open);
    const { split } = leaf;
    const bounds = childBounds(search, leaf);
    splitLeaf(search, leaf, nodes.length);
    const left = addLeaf(split.left, bounds.left);
    const right = addLeaf(split.right, bounds.right);
    const depth = leaf.depth + 1;
    if (depth >= depthMax) continue;
    const parts = partition(leaf, input);
    const histograms = childHistograms(leaf, parts, input);
    for (const [child, node] of [
      ['left', left],
      ['right', right],
    ] as const) {
      const own = { rows: parts[child], bounds: bounds[child], histogram: histograms[child] };
      consider({ node, depth, ...own }, split[child]);
    }
  }
  const column = (name: keyof Node) => nodes.map((node) => node[name]);
  return {
    path: 'tree',
    left: column('left'),
    right: column('right'),
    feature: column('feature'),
    threshold: column('threshold'),
    missingLeft: column('missingLeft'),
    value: column('value'),
    cover: column('cover'),
    gain: column('gain'),
    splitBin: column('splitBin'),
  };
}

function toLeaf({ search, offset }: GrowInput, sums: Sums, bounds: WeightBounds): Node {
  const { learningRate, l2 } = search.options;
  return {
    left: -1,
    right: -1,
    feature: 0,
    threshold: 0,
    missingLeft: 0,
    value: Math.fround(learningRate * weightOf(sums, l2, bounds) + offset),
    cover: Math.fround(Math.max(sums.hessian, 0)),
    gain: 0,
    splitBin: 0,
  };
}

/** @param left index of the left child; the right one follows */
function splitLeaf({ columns }: SplitSearch, { node, split }: OpenLeaf, left: number): void {
  node.left = left;
  node.right = left + 1;
  node.feature = split.feature;
  node.threshold = columns[split.feature]?.cuts[split.bin] ?? Number.NaN;
  node.missingLeft = split.missingLeft ? 1 : 0;
  node.gain = Math.fround(split.gain);
  node.splitBin = split.bin;
}

/** Removes the leaf with the most gain; of equals the one that was made first. */
function takeBest(open: OpenLeaf[]): OpenLeaf {
  let best = 0;
  for (let at = 1; at < open.length; at++) {
    if ((open[at]?.split.gain ?? 0) > (open[best]?.split.gain ?? 0)) best = at;
  }
  const [leaf] = open.splice(best, 1);
  if (leaf === undefined) throw new Error('no leaf is open');
  return leaf;
}

function sumsOf({ gradient, hessian }: Gradients, rows: Int32Array): Sums {
  let ofGradient = 0;
  let ofHessian = 0;
  for (const row of rows) {
    ofGradient += gradient[row] ?? 0;
    ofHessian += hessian[row] ?? 0;
  }
  return { gradient: ofGradient, hessian: ofHessian };
}

/** Below a constrained split neither child may cross the mean of the two weights. */
function childBounds({ monotone, options }: SplitSearch, { split, bounds }: OpenLeaf) {
  const direction = monotone[split.feature] ?? 0;
  if (direction === 0) return { left: bounds, right: bounds };
  const middle =
    (weightOf(split.left, options.l2, bounds) + weightOf(split.right, options.l2, bounds)) / 2;
  const below = { low: bounds.low, high: middle };
  const above = { low: middle, high: bounds.high };
  return direction > 0 ? { left: below, right: above } : { left: above, right: below };
}

type Parts = { readonly left: Int32Array; readonly right: Int32Array };

/** Splits a leaf's rows into two runs, each in its former order. */
function partition({ rows, split }: OpenLeaf, { search, scratch }: GrowInput): Parts {
  const bins = search.columns[split.feature]?.bins;
  if (bins === undefined) throw new Error(`no column ${split.feature}`);
  let left = 0;
  let right = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    const bin = bins[row] as number;
    const goesLeft = bin === MISSING_BIN ? split.missingLeft : bin <= split.bin;
    if (goesLeft) rows[left++] = row;
    else scratch.rows[right++] = row;
  }
  rows.set(scratch.rows.subarray(0, right), left);
  return { left: rows.subarray(0, left), right: rows.subarray(left) };
}

/** The smaller child is counted; the larger one is the rest of the parent. */
function childHistograms(leaf: OpenLeaf, { left, right }: Parts, input: GrowInput) {
  const { search, gradients, scratch } = input;
  const counted = new Float64Array(leaf.histogram.length);
  const leftIsSmaller = left.length <= right.length;
  const smaller = leftIsSmaller ? left : right;
  fillHistogram(counted, search.columns, search.used, smaller, gradients, scratch);
  subtractHistogram(leaf.histogram, counted, search.used);
  return leftIsSmaller
    ? { left: counted, right: leaf.histogram }
    : { left: leaf.histogram, right: counted };
}

/**
 * The best split of a node, from its histogram. Gain and leaf weight as in Chen and Guestrin, "XGBoost: a
 * scalable tree boosting system" (2016), section 2.2: a leaf with sums G of gradients and H of hessians
 * is best at w = -G / (H + l2), and there lowers the loss by -(2 G w + (H + l2) w^2) / 2 (the half is
 * left out, as XGBoost does). Under a monotone constraint w is clipped to the node's bounds.
 */
function weightOf(sums: Sums, l2: number, { low, high }: WeightBounds): number {
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
