/** Grows one tree on binned columns: the open leaf whose split gains most is split next. */
import { MISSING_BIN } from '../bins.ts';
import type { LooseTree } from '../model/lay-out-trees.ts';
import {
  findSplit,
  type Split,
  type SplitSearch,
  type Sums,
  type WeightBounds,
  weightOf,
} from './find-split.ts';
import {
  FEATURE_STRIDE,
  fillHistogram,
  type Gradients,
  type Scratch,
  subtractHistogram,
} from './histogram.ts';

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
