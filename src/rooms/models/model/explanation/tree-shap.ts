/**
 * Exact Shapley values of a margin's features, path-dependent: an unknown feature sends a row down both sides
 * of a split, in proportion to the training rows that went there. Algorithm 2 of Lundberg, Erion and Lee,
 * "Consistent individualized feature attribution for tree ensembles" (2018). It takes trees * leaves * depth^2
 * a row, so it serves requests, not every decision.
 */
import type { Batch } from '../batch.ts';
import { type TreeEnsemble, treeDepths } from '../trees/tree-ensemble.ts';
import { type Contributions, contributionsOf } from './contributions.ts';

/** @param margins of the same batch, from predictTrees */
export function treeShap(
  ensemble: TreeEnsemble,
  batch: Batch,
  margins: Float64Array,
): Contributions {
  const features = ensemble.featureNames.length;
  const path = new FeaturePath(Math.max(...treeDepths(ensemble)));
  return contributionsOf(ensemble, batch, margins, (inputs, values) => {
    for (let row = 0; row < batch.rows; row++) {
      const walk: Walk = {
        ensemble,
        row: inputs.subarray(row * features, (row + 1) * features),
        values: values.subarray(row * features, (row + 1) * features),
        path,
      };
      for (const root of ensemble.roots) visit(walk, root, 0, { zero: 1, one: 1, feature: -1 });
    }
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

function visit({ ensemble, row, values, path }: Walk, node: number, level: number, by: Step): void {
  path.enter(level, by);
  const feature = ensemble.feature[node] ?? -1;
  if (feature < 0) {
    path.share(level, ensemble.value[node] ?? 0, values);
    return;
  }
  const before = path.leave(level, feature);
  const left = ensemble.left[node] ?? 0;
  const hot = childOf(ensemble, node, row[feature] ?? Number.NaN);
  const length = path.lengthOf(level);
  for (const child of [left, left + 1]) {
    const zero = before.zero * shareOf(ensemble, left, child);
    const one = child === hot ? before.one : 0;
    // No row reaches this node, whatever is known.
    if (zero === 0 && one === 0) continue;
    visit({ ensemble, row, values, path }, child, level + 1, { zero, one, feature });
    path.restore(level, length);
  }
}

function childOf({ left, missing, threshold }: TreeEnsemble, node: number, input: number): number {
  if (Number.isNaN(input)) return missing[node] ?? 0;
  return (left[node] ?? 0) + (input < (threshold[node] ?? 0) ? 0 : 1);
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
  /** Index of the last item of each level's copy. */
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
    const last = level === 0 ? 0 : (this.#last[level - 1] ?? -1) + 1;
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

  /**
   * Takes a feature out again if it is on the path already (UNWIND); returns its shares so far, else 1 and 1.
   */
  leave(level: number, feature: number): { readonly zero: number; readonly one: number } {
    const start = level * this.#stride;
    const last = this.#last[level] ?? 0;
    let at = 1;
    while (at <= last && this.#feature[start + at] !== feature) at++;
    if (at > last) return { zero: 1, one: 1 };
    const zero = this.#zero[start + at] ?? 0;
    const one = this.#one[start + at] ?? 0;
    const weight = this.#weight.subarray(start, start + last + 1);
    let next = weight[last] ?? 0;
    for (let size = last - 1; size >= 0; size--) {
      const here = weight[size] ?? 0;
      if (one !== 0) {
        weight[size] = (next * (last + 1)) / ((size + 1) * one);
        next = here - ((weight[size] ?? 0) * zero * (last - size)) / (last + 1);
      } else {
        weight[size] = (here * (last + 1)) / (zero * (last - size));
      }
    }
    for (const list of [this.#feature, this.#zero, this.#one]) {
      list.copyWithin(start + at, start + at + 1, start + last + 1);
    }
    this.#last[level] = last - 1;
    return { zero, one };
  }

  /** Adds to each feature on the path its part of a leaf's value. */
  share(level: number, value: number, values: Float64Array): void {
    const start = level * this.#stride;
    const last = this.#last[level] ?? 0;
    for (let at = 1; at <= last; at++) {
      const zero = this.#zero[start + at] ?? 0;
      const one = this.#one[start + at] ?? 0;
      const feature = this.#feature[start + at] ?? 0;
      const owed = this.#weightWithout(start, last, zero, one) * (one - zero) * value;
      values[feature] = (values[feature] ?? 0) + owed;
    }
  }

  /** The sum of the weights after one feature is taken out. */
  #weightWithout(start: number, last: number, zero: number, one: number): number {
    let sum = 0;
    let next = this.#weight[start + last] ?? 0;
    for (let size = last - 1; size >= 0; size--) {
      const here = this.#weight[start + size] ?? 0;
      if (one !== 0) {
        const without = (next * (last + 1)) / ((size + 1) * one);
        sum += without;
        next = here - (without * zero * (last - size)) / (last + 1);
      } else {
        sum += (here * (last + 1)) / (zero * (last - size));
      }
    }
    return sum;
  }
}
