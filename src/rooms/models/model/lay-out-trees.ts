/**
 * Lays trees of a file or of the trainer, with children anywhere, out as a TreeEnsemble. Every tree is walked
 * from its root, so anything that is not a tree (a cycle, a child with two parents) is found here.
 */
import { MODEL_DEPTH_MAX, MODEL_NODES_MAX, refuse } from './bounds.ts';

/** A tree whose root is node 0. Each array has a number for each node. */
export type LooseTree = {
  /** Path into the file, for refusals. */
  readonly path: string;
  /** -1 for a leaf. */
  readonly left: ArrayLike<number>;
  readonly right: ArrayLike<number>;
  readonly feature: ArrayLike<number>;
  /** A value below this goes left. */
  readonly threshold: ArrayLike<number>;
  /** Not 0 where a missing value goes left. */
  readonly missingLeft: ArrayLike<number>;
  /** Values of leaves. */
  readonly value: ArrayLike<number>;
  readonly cover: ArrayLike<number>;
  readonly gain: ArrayLike<number>;
};

export type TreeEnsemble = {
  /**
   * float32 rounds inputs and every partial sum to float32, as XGBoost does (its thresholds and leaves
   * are float32 already); float64 rounds nothing, as LightGBM.
   */
  readonly arithmetic: 'float32' | 'float64';
  readonly featureNames: readonly string[];
  /** XGBoost's base_score, a probability: the margin of no trees is its log-odds. */
  readonly baseScore: number;
  /** The sum starts here, in the ensemble's arithmetic. */
  readonly baseMargin: number;
  /** probability = logistic(marginScale * margin); LightGBM's `sigmoid`. */
  readonly marginScale: number;
  /** By feature, the value that counts as missing, as 0 in LightGBM's missing type Zero; NaN where NaN alone does. */
  readonly missingValue: Float64Array;
  /** With early stopping the file has more trees than score; absent where all score. */
  readonly treesInFile?: number;
  readonly roots: Int32Array;
  readonly feature: Int32Array;
  /** A value below this goes left. */
  readonly threshold: Float64Array;
  readonly left: Int32Array;
  readonly missing: Int32Array;
  readonly value: Float64Array;
  /** Weight of the training rows that reached the node: XGBoost's sum of hessians, LightGBM's count. */
  readonly cover: Float64Array;
  /** Reduction of the training loss by the split; 0 for leaves. */
  readonly gain: Float64Array;
};

/** The parts of an ensemble besides its nodes. */
export type EnsembleHead = Omit<
  TreeEnsemble,
  'roots' | 'feature' | 'threshold' | 'left' | 'missing' | 'value' | 'cover' | 'gain'
>;

/** Memory of a model, which is opened in one thread, run in another and taken apart in the first. */
export const sharedInts = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length));
export const sharedDoubles = (length: number) =>
  new Float64Array(new SharedArrayBuffer(8 * length));

/** Refuses anything that is not a tree, is too deep or too large, or has a leaf or a threshold that is no number. */
export function layOutTrees(head: EnsembleHead, trees: readonly LooseTree[]): TreeEnsemble {
  const orders = trees.map((tree) => walk(tree, head.featureNames.length));
  const nodes = orders.reduce((sum, order) => sum + order.length, 0);
  if (nodes > MODEL_NODES_MAX) refuse('trees', `${nodes} nodes, at most ${MODEL_NODES_MAX}`);
  const ensemble: TreeEnsemble = {
    ...head,
    roots: sharedInts(trees.length),
    feature: sharedInts(nodes).fill(-1),
    threshold: sharedDoubles(nodes),
    left: sharedInts(nodes).fill(-1),
    missing: sharedInts(nodes).fill(-1),
    value: sharedDoubles(nodes),
    cover: sharedDoubles(nodes),
    gain: sharedDoubles(nodes),
  };
  let root = 0;
  for (const [index, tree] of trees.entries()) {
    const order = orders[index] ?? [];
    ensemble.roots[index] = root;
    copyTree(ensemble, root, tree, order);
    root += order.length;
  }
  return ensemble;
}

/** The tree's nodes in order of depth, siblings side by side. */
function walk(tree: LooseTree, features: number): number[] {
  const size = tree.left.length;
  if (size === 0) refuse(tree.path, 'has no nodes');
  const depths = new Int32Array(size).fill(-1);
  const order = [0];
  depths[0] = 0;
  // Every node enters the list once, so this ends.
  for (let at = 0; at < order.length; at++) {
    const node = order[at] ?? 0;
    const depth = (depths[node] ?? 0) + 1;
    checkNode(tree, node, features);
    if (isLeaf(tree, node)) continue;
    if (depth > MODEL_DEPTH_MAX) refuse(tree.path, `is deeper than ${MODEL_DEPTH_MAX}`);
    for (const child of [tree.left[node] ?? -1, tree.right[node] ?? -1]) {
      if (!(Number.isInteger(child) && child >= 0 && child < size)) {
        refuse(tree.path, `node ${node} leads to node ${child} of ${size}`);
      }
      if (depths[child] !== -1) refuse(tree.path, `more than one way leads to node ${child}`);
      depths[child] = depth;
      order.push(child);
    }
  }
  return order;
}

/** Copies a tree's nodes in their new order, and gives inner nodes the mean of their leaves. */
function copyTree(to: TreeEnsemble, root: number, tree: LooseTree, order: readonly number[]): void {
  let next = root + 1;
  for (const [index, node] of order.entries()) {
    const at = root + index;
    to.cover[at] = finiteOr0(tree.cover[node]);
    to.value[at] = tree.value[node] ?? 0;
    if (isLeaf(tree, node)) continue;
    to.feature[at] = tree.feature[node] ?? 0;
    to.threshold[at] = tree.threshold[node] ?? 0;
    to.gain[at] = finiteOr0(tree.gain[node]);
    to.left[at] = next;
    to.missing[at] = tree.missingLeft[node] === 0 ? next + 1 : next;
    next += 2;
  }
  for (let at = root + order.length - 1; at >= root; at--) {
    const left = to.left[at] ?? -1;
    if (left >= 0) to.value[at] = meanOf(to, left);
  }
}

/** Mean of two siblings by cover; unweighted where no training row reached them. */
function meanOf({ value, cover }: TreeEnsemble, left: number): number {
  const [a = 0, b = 0] = value.subarray(left, left + 2);
  const [ofA = 0, ofB = 0] = cover.subarray(left, left + 2);
  return ofA + ofB > 0 ? (a * ofA + b * ofB) / (ofA + ofB) : (a + b) / 2;
}

const finiteOr0 = (value = 0) => (Number.isFinite(value) ? value : 0);

function isLeaf({ left }: LooseTree, node: number): boolean {
  return (left[node] ?? -1) < 0;
}

function checkNode(tree: LooseTree, node: number, features: number): void {
  const cover = finiteOr0(tree.cover[node]);
  if (cover < 0) refuse(tree.path, `node ${node} has a cover of ${cover}`);
  const leaf = isLeaf(tree, node);
  const number = (leaf ? tree.value[node] : tree.threshold[node]) ?? Number.NaN;
  // A threshold of infinity parts values that are there from missing ones.
  if (Number.isNaN(number) || (leaf && !Number.isFinite(number))) {
    refuse(tree.path, `node ${node} has a ${leaf ? 'value' : 'threshold'} of ${number}`);
  }
  const feature = tree.feature[node] ?? -1;
  if (!leaf && !(Number.isInteger(feature) && feature >= 0 && feature < features)) {
    refuse(tree.path, `node ${node} splits on feature ${feature} of ${features}`);
  }
}

/**
 * Regression trees whose leaves are summed into a margin: the one form in which every tree model is
 * run, explained and written, whatever format it was read from.
 *
 * Nodes of all trees stand in one set of arrays, tree after tree, within a tree in order of depth, a
 * right child directly behind its left sibling:
 *
 *     roots        0              3
 *     node         0    1    2    3   ...
 *     feature      4   -1   -1    0        -1 is a leaf
 *     threshold  1.5               7
 *     left         1   -1   -1    4        right is left + 1
 *     missing      2   -1   -1    4        the child that NaN goes to
 *     value      .02  -.1   .3             of a leaf; else the mean of its leaves by cover
 * Index after the last node of a tree.
 */
export function treeEnd({ roots, feature }: TreeEnsemble, tree: number): number {
  return roots[tree + 1] ?? feature.length;
}

/** The longest path from each tree's root to a leaf, in splits. */
export function treeDepths(ensemble: TreeEnsemble): Uint16Array {
  const { feature, left, roots } = ensemble;
  const depth = new Uint16Array(feature.length);
  return Uint16Array.from(roots, (root, tree) => {
    let deepest = 0;
    for (let node = root; node < treeEnd(ensemble, tree); node++) {
      const child = left[node] ?? -1;
      if (child < 0) continue;
      const below = (depth[node] ?? 0) + 1;
      depth[child] = below;
      depth[child + 1] = below;
      deepest = Math.max(deepest, below);
    }
    return deepest;
  });
}
