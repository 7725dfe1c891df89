/** Parts that the tests of models share: drawn ensembles and batches. */
import fc from 'fast-check';
import { Failure } from '../../../../../src/kit/words/failure.ts';
import type { Batch } from '../../../../../src/rooms/models/model/batch.ts';
import {
  type EnsembleHead,
  type LooseTree,
  layOutTrees,
  type TreeEnsemble,
} from '../../../../../src/rooms/models/model/lay-out-trees.ts';
import { closeTrees, treePredictor } from '../../../../../src/rooms/models/model/predict-trees.ts';

/** Margins of one batch. */
export const predictTrees = (ensemble: TreeEnsemble, batch: Batch): Float64Array =>
  treePredictor(ensemble, closeTrees(ensemble))(batch);

/** A tree as nested pairs: easy to draw and to read. */
export type Branch =
  | { readonly value: number; readonly cover: number }
  | {
      readonly feature: number;
      readonly threshold: number;
      readonly missingLeft: boolean;
      readonly left: Branch;
      readonly right: Branch;
    };

export function looseTree(branch: Branch): LooseTree {
  const tree = {
    path: 'tree',
    left: [] as number[],
    right: [] as number[],
    feature: [] as number[],
    threshold: [] as number[],
    missingLeft: [] as number[],
    value: [] as number[],
    cover: [] as number[],
    gain: [] as number[],
  };
  const add = (from: Branch): number => {
    const leaf = 'value' in from;
    const node = tree.value.push(leaf ? from.value : 0) - 1;
    tree.feature.push(leaf ? 0 : from.feature);
    tree.threshold.push(leaf ? 0 : from.threshold);
    tree.missingLeft.push(!leaf && from.missingLeft ? 1 : 0);
    tree.gain.push(leaf ? 0 : 1);
    tree.cover.push(coverOf(from));
    tree.left.push(-1);
    tree.right.push(-1);
    if (!leaf) {
      // Right first: the order in a file is not the order of the ensemble.
      tree.right[node] = add(from.right);
      tree.left[node] = add(from.left);
    }
    return node;
  };
  add(branch);
  return tree;
}

function coverOf(branch: Branch): number {
  if ('value' in branch) return branch.cover;
  return coverOf(branch.left) + coverOf(branch.right);
}

export function headOf(features: number, arithmetic: 'float32' | 'float64'): EnsembleHead {
  return {
    arithmetic,
    featureNames: Array.from({ length: features }, (_, index) => `f${index}`),
    baseScore: 0.5,
    baseMargin: 0,
    marginScale: 1,
    missingValue: new Float64Array(features).fill(Number.NaN),
  };
}

/** Trees over a few features with few thresholds, so that features repeat on a path and values tie. */
export function anyEnsemble(features: number, trees = 3): fc.Arbitrary<TreeEnsemble> {
  const number = fc.integer({ min: -20, max: 20 }).map((tenths) => Math.fround(tenths / 10));
  const { branch } = fc.letrec<{ branch: Branch; leaf: Branch; split: Branch }>((tie) => ({
    leaf: fc.record({ value: number, cover: fc.integer({ min: 1, max: 9 }) }),
    split: fc.record({
      feature: fc.integer({ min: 0, max: features - 1 }),
      threshold: number,
      missingLeft: fc.boolean(),
      left: tie('branch'),
      right: tie('branch'),
    }),
    branch: fc.oneof({ maxDepth: 4, depthIdentifier: 'tree' }, tie('leaf'), tie('split')),
  }));
  return fc
    .array(branch, { minLength: 1, maxLength: trees })
    .map((branches) => layOutTrees(headOf(features, 'float32'), branches.map(looseTree)));
}

/** Rows with ties to the thresholds above and missing values. */
export function anyBatch(features: number, rowsMax = 6): fc.Arbitrary<Batch> {
  const value = fc.oneof(
    fc.integer({ min: -25, max: 25 }).map((tenths) => tenths / 10),
    fc.constant(Number.NaN),
    fc.double({ min: -3, max: 3, noNaN: true }),
  );
  return fc
    .integer({ min: 1, max: rowsMax })
    .chain((rows) =>
      fc
        .array(value, { minLength: rows * features, maxLength: rows * features })
        .map((values) => ({ rows, values: Float64Array.from(values) })),
    );
}

/** The message of the Failure that an operation throws. */
export function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure && error.code === 'MODEL_INVALID') return error.message;
    throw error;
  }
  throw new Error('was not refused');
}
