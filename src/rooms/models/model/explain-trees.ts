/**
 * Takes a margin apart: a base that all rows share and the contribution of each feature's value. Ways through the trees are
 * cheap enough for every decision; exact Shapley values serve requests.
 */
import { type Batch, checkBatch } from './batch.ts';
import { loadInputs } from './predict-trees.ts';
import { type TreeEnsemble, treeDepths } from './tree-ensemble.ts';

export type Contributions = {
  /**
   * One base a row: the mean margin of the training rows, corrected by what rounding to float32 left between
   * the margin and the exact sum of its leaves. base + all values of a row = margin.
   */
  readonly base: Float64Array;
  /** Row after row, one value a feature; above 0 raises the risk. */
  readonly values: Float64Array;
};

/** Adds to the values of a row what its inputs contribute through one tree. */
type AddTree = (root: number, row: Float64Array, values: Float64Array) => void;

/** @param margins of the same batch, from predictTrees */
function contributionsOf(
  ensemble: TreeEnsemble,
  batch: Batch,
  margins: Float64Array,
  addTree: AddTree,
): Contributions {
  const features = ensemble.featureNames.length;
  checkBatch(batch, features);
  const inputs = new Float64Array(batch.values.length);
  loadInputs(ensemble, batch.values, inputs);
  const values = new Float64Array(batch.values.length);
  const base = margins.map((margin, row) => {
    const [from, to] = [row * features, (row + 1) * features];
    const own = values.subarray(from, to);
    for (const root of ensemble.roots) addTree(root, inputs.subarray(from, to), own);
    let sum = 0;
    for (const value of own) sum += value;
    return margin - sum;
  });
  return { base, values };
}

/**
 * At each split on a row's path the change of the mean leaf below is attributed to the split's feature (Saabas, "Interpreting
 * random forests", 2014). Unlike Shapley values these favour features near the leaves.
 */
export function pathContributions(
  ensemble: TreeEnsemble,
  batch: Batch,
  margins: Float64Array,
): Contributions {
  const { feature, threshold, left, missing, value } = ensemble;
  return contributionsOf(ensemble, batch, margins, (root, row, values) => {
    let node = root;
    let split = feature[node] as number;
    while (split >= 0) {
      const input = row[split] as number;
      const limit = threshold[node] as number;
      let next = missing[node] as number;
      if (input < limit) next = left[node] as number;
      else if (input >= limit) next = (left[node] as number) + 1;
      const change = (value[next] as number) - (value[node] as number);
      values[split] = (values[split] as number) + change;
      node = next;
      split = feature[node] as number;
    }
  });
}

/**
 * Exact Shapley values, path-dependent: an unknown feature sends a row down both sides of a split, in proportion to the
 * training rows that went there. Algorithm 2 of Lundberg, Erion and Lee, "Consistent individualized feature attribution for
 * tree ensembles" (2018), which takes trees * leaves * depth^2 a row.
 */
export function treeShap(
  ensemble: TreeEnsemble,
  batch: Batch,
  margins: Float64Array,
): Contributions {
  const path = new FeaturePath(Math.max(...treeDepths(ensemble)));
  return contributionsOf(ensemble, batch, margins, (root, row, values) => {
    visit({ ensemble, row, values, path }, root, 0, { zero: 1, one: 1, feature: -1 });
  });
}

type Walk = {
  readonly ensemble: TreeEnsemble;
  readonly row: Float64Array;
  readonly values: Float64Array;
  readonly path: FeaturePath;
};

/** A split on the path: the share of rows that pass it without knowing the feature, and knowing it. */
type Step = { readonly zero: number; readonly one: number; readonly feature: number };

function visit(walk: Walk, node: number, level: number, by: Step): void {
  const { ensemble, row, values, path } = walk;
  path.enter(level, by);
  const feature = ensemble.feature[node] ?? -1;
  if (feature < 0) {
    path.share(level, ensemble.value[node] ?? 0, values);
    return;
  }
  const before = path.leave(level, feature);
  const left = ensemble.left[node] ?? 0;
  const input = row[feature] ?? Number.NaN;
  const below = left + (input < (ensemble.threshold[node] ?? 0) ? 0 : 1);
  const hot = Number.isNaN(input) ? ensemble.missing[node] : below;
  const length = path.lengthOf(level);
  for (const child of [left, left + 1]) {
    const zero = before.zero * shareOf(ensemble, left, child);
    const one = child === hot ? before.one : 0;
    // No row reaches this node, whatever is known.
    if (zero === 0 && one === 0) continue;
    visit(walk, child, level + 1, { zero, one, feature });
    path.restore(level, length);
  }
}

/** A child's share of the training rows at its parent; even where there were none. */
function shareOf({ cover }: TreeEnsemble, left: number, child: number): number {
  const both = (cover[left] ?? 0) + (cover[left + 1] ?? 0);
  return both > 0 ? (cover[child] ?? 0) / both : 0.5;
}

/**
 * The features on the way to a node, each once, with the weights of all subsets of them by size. Every
 * level of the tree has a copy, so that coming back from a child finds its parent's.
 */
class FeaturePath {
  readonly #stride: number;
  readonly #feature: Int32Array;
  readonly #zero: Float64Array;
  readonly #one: Float64Array;
  readonly #weight: Float64Array;
  /** Index of the last feature of each level's copy. */
  readonly #last: Int32Array;

  constructor(depth: number) {
    this.#stride = depth + 2;
    const size = this.#stride * (depth + 2);
    this.#feature = new Int32Array(size);
    this.#zero = new Float64Array(size);
    this.#one = new Float64Array(size);
    this.#weight = new Float64Array(size);
    this.#last = new Int32Array(depth + 2).fill(-1);
  }

  lengthOf(level: number): number {
    return this.#last[level] ?? -1;
  }

  restore(level: number, length: number): void {
    this.#last[level] = length;
  }

  /** Copies the level above and appends a step (the paper's EXTEND). */
  enter(level: number, { zero, one, feature }: Step): void {
    const to = level * this.#stride;
    const last = level === 0 ? 0 : this.lengthOf(level - 1) + 1;
    const from = to - this.#stride;
    if (level > 0) {
      for (const list of [this.#feature, this.#zero, this.#one, this.#weight]) {
        list.copyWithin(to, from, from + last);
      }
    }
    this.#feature[to + last] = feature;
    this.#zero[to + last] = zero;
    this.#one[to + last] = one;
    const weight = this.#weight.subarray(to, to + last + 1);
    weight[last] = last === 0 ? 1 : 0;
    for (let size = last - 1; size >= 0; size--) {
      const here = weight[size] ?? 0;
      weight[size + 1] = (weight[size + 1] ?? 0) + (one * here * (size + 1)) / (last + 1);
      weight[size] = (zero * here * (last - size)) / (last + 1);
    }
    this.#last[level] = last;
  }

  /** Takes a feature out again if it is on the path already (UNWIND); returns its shares so far, else 1 and 1. */
  leave(level: number, feature: number): { readonly zero: number; readonly one: number } {
    const start = level * this.#stride;
    const last = this.lengthOf(level);
    let at = 1;
    while (at <= last && this.#feature[start + at] !== feature) at++;
    if (at > last) return { zero: 1, one: 1 };
    const shares = { zero: this.#zero[start + at] ?? 0, one: this.#one[start + at] ?? 0 };
    const weight = this.#weight.subarray(start, start + last + 1);
    for (let size = last - 1, next = weight[last] ?? 0; size >= 0; size--) {
      const here = weight[size] ?? 0;
      const without = weightWithout(shares, here, next, size, last);
      weight[size] = without;
      next = here - (without * shares.zero * (last - size)) / (last + 1);
    }
    for (const list of [this.#feature, this.#zero, this.#one]) {
      list.copyWithin(start + at, start + at + 1, start + last + 1);
    }
    this.#last[level] = last - 1;
    return shares;
  }

  /** Adds to each feature on the path its part of a leaf's value. */
  share(level: number, value: number, values: Float64Array): void {
    const start = level * this.#stride;
    const last = this.lengthOf(level);
    for (let at = 1; at <= last; at++) {
      const shares = { zero: this.#zero[start + at] ?? 0, one: this.#one[start + at] ?? 0 };
      let sum = 0;
      for (let size = last - 1, next = this.#weight[start + last] ?? 0; size >= 0; size--) {
        const here = this.#weight[start + size] ?? 0;
        const without = weightWithout(shares, here, next, size, last);
        sum += without;
        next = here - (without * shares.zero * (last - size)) / (last + 1);
      }
      const feature = this.#feature[start + at] ?? 0;
      values[feature] = (values[feature] ?? 0) + sum * (shares.one - shares.zero) * value;
    }
  }
}

/** The weight of a size after one feature is taken out; `next` is what is left of the size above. */
function weightWithout(
  { zero, one }: Pick<Step, 'zero' | 'one'>,
  here: number,
  next: number,
  size: number,
  last: number,
): number {
  return one === 0
    ? (here * (last + 1)) / (zero * (last - size))
    : (next * (last + 1)) / ((size + 1) * one);
}
