/**
 * Takes a margin apart: a base that all rows share and the contribution of each feature's value. Ways through the trees are
 * cheap enough for every decision; exact Shapley values serve requests.
 */
import { SCORECARD_MARGIN } from '../../../core/score/factor-sentence.ts';
import type { Batch } from './batch.ts';
import { MODEL_DEPTH_MAX } from './bounds.ts';
import { type TreeEnsemble, treeDepths } from './lay-out-trees.ts';
import { inputsOf } from './predict-trees.ts';

export type Contributions = {
  /**
   * A base for each row: the mean margin of the training rows, corrected by what rounding to float32 left between
   * the margin and the exact sum of its leaves. base + all values of a row = margin.
   */
  readonly base: Float64Array;
  /** Row after row, a value for each feature; above 0 raises the risk. */
  readonly values: Float64Array;
};

/** Adds to the values of a row what its inputs contribute through a tree. */
type AddTree = (root: number, row: Float64Array, values: Float64Array) => void;

/** @param margins of the same batch, from predictTrees */
function contributionsOf(
  ensemble: TreeEnsemble,
  batch: Batch,
  margins: Float64Array,
  addTree: AddTree,
): Contributions {
  const features = ensemble.featureNames.length;
  const scorecard = ensemble.featureNames.indexOf(SCORECARD_MARGIN);
  const inputs = inputsOf(ensemble, batch.values);
  const values = new Float64Array(batch.values.length);
  const base = margins.map((margin, row) => {
    const [from, to] = [row * features, (row + 1) * features];
    const own = values.subarray(from, to);
    if (scorecard >= 0) own[scorecard] = batch.values[from + scorecard] || 0;
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
  const levels = Array.from({ length: Math.max(...treeDepths(ensemble)) + 1 }, (_, level) => ({
    feature: new Int32Array(level + 1),
    zeroShare: new Float64Array(level + 1),
    oneShare: new Float64Array(level + 1),
    weight: new Float64Array(level + 1),
  }));
  return contributionsOf(ensemble, batch, margins, (root, row, values) => {
    walk({ ensemble, row, values, levels }, root, 0, -1, {
      zeroShare: 1,
      oneShare: 1,
      feature: -1,
    });
  });
}

/** Exact Shapley values of a row take so many steps: the square of each leaf's depth. A step takes 20 to 70 ns. */
export function shapleySteps({ left }: TreeEnsemble): number {
  const depths = new Uint8Array(left.length);
  let steps = 0;
  for (let node = 0; node < left.length; node++) {
    const child = left[node] as number;
    const below = (depths[node] as number) + 1;
    if (child < 0) steps += below ** 2;
    else depths.fill(below, child, child + 2);
  }
  return steps;
}

/**
 * The features on the way to a node, each once, with the weights of all subsets of them by size. Every level of the tree has
 * a copy, so that the way back from a child finds its parent's.
 */
type Path = {
  readonly feature: Int32Array;
  readonly zeroShare: Float64Array;
  readonly oneShare: Float64Array;
  readonly weight: Float64Array;
};

type Walk = {
  readonly ensemble: TreeEnsemble;
  readonly row: Float64Array;
  readonly values: Float64Array;
  readonly levels: readonly Path[];
};

/** Shares of the rows that pass a split without knowing its feature, and knowing it. */
type Shares = { readonly zeroShare: number; readonly oneShare: number };
type Step = Shares & { readonly feature: number };

/** @param above index of the last feature on the path of the level above */
function walk(given: Walk, node: number, level: number, above: number, by: Step): void {
  const { ensemble, row, values, levels } = given;
  const path = levels[level] as Path;
  const last = above + 1;
  extend(path, levels[level - 1], last, by);
  const feature = ensemble.feature[node] ?? -1;
  if (feature < 0) {
    share(path, last, ensemble.value[node] ?? 0, values);
    return;
  }
  const found = path.feature.indexOf(feature, 1);
  const isKnown = found > 0 && found <= last;
  const before = isKnown ? unwind(path, last, found) : { zeroShare: 1, oneShare: 1 };
  const left = ensemble.left[node] ?? 0;
  const input = row[feature] ?? Number.NaN;
  const below = left + (input < (ensemble.threshold[node] ?? 0) ? 0 : 1);
  const hot = Number.isNaN(input) ? ensemble.missing[node] : below;
  for (const child of [left, left + 1]) {
    const zeroShare = before.zeroShare * shareOf(ensemble, left, child);
    const oneShare = child === hot ? before.oneShare : 0;
    // No row reaches this node, whatever is known.
    if (zeroShare === 0 && oneShare === 0) continue;
    walk(given, child, level + 1, isKnown ? last - 1 : last, { zeroShare, oneShare, feature });
  }
}

/** A child's share of the training rows at its parent; even where there were none. */
function shareOf({ cover }: TreeEnsemble, left: number, child: number): number {
  const both = (cover[left] ?? 0) + (cover[left + 1] ?? 0);
  return both > 0 ? (cover[child] ?? 0) / both : 0.5;
}

/** Copies the path of the level above and appends a step (the paper's EXTEND). */
function extend(path: Path, above: Path | undefined, last: number, step: Step): void {
  const { feature, zeroShare, oneShare, weight } = path;
  for (let at = 0; at < last && above !== undefined; at++) {
    feature[at] = above.feature[at] as number;
    zeroShare[at] = above.zeroShare[at] as number;
    oneShare[at] = above.oneShare[at] as number;
    weight[at] = above.weight[at] as number;
  }
  feature[last] = step.feature;
  zeroShare[last] = step.zeroShare;
  oneShare[last] = step.oneShare;
  weight[last] = last === 0 ? 1 : 0;
  for (let size = last - 1; size >= 0; size--) {
    const here = weight[size] ?? 0;
    weight[size + 1] = (weight[size + 1] ?? 0) + (step.oneShare * here * (size + 1)) / (last + 1);
    weight[size] = (step.zeroShare * here * (last - size)) / (last + 1);
  }
}

/** Takes the feature at an index out of the path (UNWIND); returns its shares so far. */
function unwind(path: Path, last: number, at: number): Shares {
  const shares = { zeroShare: path.zeroShare[at] ?? 0, oneShare: path.oneShare[at] ?? 0 };
  weigh(path, last, shares);
  for (let size = 0; size < last; size++) path.weight[size] = without[size] ?? 0;
  for (const list of [path.feature, path.zeroShare, path.oneShare])
    list.copyWithin(at, at + 1, last + 1);
  return shares;
}

/** Adds to each feature on the path its part of a leaf's value. */
function share(path: Path, last: number, value: number, values: Float64Array): void {
  for (let at = 1; at <= last; at++) {
    const shares = { zeroShare: path.zeroShare[at] ?? 0, oneShare: path.oneShare[at] ?? 0 };
    const feature = path.feature[at] ?? 0;
    const part = weigh(path, last, shares) * (shares.oneShare - shares.zeroShare) * value;
    values[feature] = (values[feature] ?? 0) + part;
  }
}

/** Weights by size after a feature is taken out, as `weigh` left them. */
const without = new Float64Array(MODEL_DEPTH_MAX + 1);

/** Writes `without`, and returns the sum of its weights. */
function weigh({ weight }: Path, last: number, { zeroShare, oneShare }: Shares): number {
  let sum = 0;
  for (let size = last - 1, above = weight[last] ?? 0; size >= 0; size--) {
    const here = weight[size] ?? 0;
    const left =
      oneShare === 0
        ? (here * (last + 1)) / (zeroShare * (last - size))
        : (above * (last + 1)) / ((size + 1) * oneShare);
    without[size] = left;
    sum += left;
    above = here - (left * zeroShare * (last - size)) / (last + 1);
  }
  return sum;
}
