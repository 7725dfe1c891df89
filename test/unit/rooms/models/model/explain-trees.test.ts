/**
 * Goal: explanations add up and are what they claim. Method: Shapley values by their definition, over
 * all subsets of features, and path contributions by the change of means along each way.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Batch } from '../../../../../src/rooms/models/model/batch.ts';
import {
  pathContributions,
  treeShap,
} from '../../../../../src/rooms/models/model/explain-trees.ts';
import type { TreeEnsemble } from '../../../../../src/rooms/models/model/lay-out-trees.ts';
import { anyBatch, anyEnsemble, predictTrees } from './support.ts';

const FEATURES = 4;

/** Mean margin of a tree when only some features are known; NaN inputs are known to be missing. */
function meanKnowing(
  ensemble: TreeEnsemble,
  node: number,
  row: Float64Array,
  known: ReadonlySet<number>,
): number {
  const feature = ensemble.feature[node] ?? -1;
  if (feature < 0) return ensemble.value[node] ?? 0;
  const left = ensemble.left[node] ?? 0;
  const below = (child: number) => meanKnowing(ensemble, child, row, known);
  if (known.has(feature)) {
    const input = Math.fround(row[feature] ?? Number.NaN);
    if (Number.isNaN(input)) return below(ensemble.missing[node] ?? 0);
    return below(left + (input < (ensemble.threshold[node] ?? 0) ? 0 : 1));
  }
  const [ofLeft = 0, ofRight = 0] = ensemble.cover.subarray(left, left + 2);
  return (ofLeft * below(left) + ofRight * below(left + 1)) / (ofLeft + ofRight);
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}

/** The mean, over all orders in which features become known, of what a feature changes. */
function shapley(ensemble: TreeEnsemble, row: Float64Array, feature: number): number {
  const others = Array.from({ length: FEATURES }, (_, other) => other).filter((f) => f !== feature);
  let sum = 0;
  for (let subset = 0; subset < 2 ** others.length; subset++) {
    const known = new Set(others.filter((_, bit) => (subset >> bit) % 2 === 1));
    const weight =
      (factorial(known.size) * factorial(FEATURES - known.size - 1)) / factorial(FEATURES);
    for (const root of ensemble.roots) {
      const without = meanKnowing(ensemble, root, row, known);
      const withIt = meanKnowing(ensemble, root, row, new Set([...known, feature]));
      sum += weight * (withIt - without);
    }
  }
  return sum;
}

const rowOf = ({ values }: Batch, row: number) =>
  values.subarray(row * FEATURES, (row + 1) * FEATURES);
const meanOf = (ensemble: TreeEnsemble) =>
  [...ensemble.roots].reduce((sum, root) => sum + (ensemble.value[root] ?? 0), 0);

test('treeShap is the Shapley value of every feature', () => {
  fc.assert(
    fc.property(anyEnsemble(FEATURES), anyBatch(FEATURES, 3), (ensemble, batch) => {
      const { values } = treeShap(ensemble, batch, predictTrees(ensemble, batch));
      for (let row = 0; row < batch.rows; row++) {
        for (let feature = 0; feature < FEATURES; feature++) {
          expect(values[row * FEATURES + feature]).toBeCloseTo(
            shapley(ensemble, rowOf(batch, row), feature),
            9,
          );
        }
      }
    }),
  );
});

describe.each([
  ['treeShap', treeShap],
  ['pathContributions', pathContributions],
] as const)('%s', (_, explain) => {
  /** Up to what float32 rounds away, the base is the mean of the training rows. */
  function expectAddsUp(ensemble: TreeEnsemble, batch: Batch): void {
    const margins = predictTrees(ensemble, batch);
    const { base, values } = explain(ensemble, batch, margins);
    const features = ensemble.featureNames.length;
    for (const [row, margin] of margins.entries()) {
      const own = values.subarray(row * features, (row + 1) * features);
      const sum = own.reduce((total, value) => total + value, base[row] ?? 0);
      const tolerance = 1e-6 * Math.max(1, Math.abs(margin));
      expect(Math.abs(sum - margin)).toBeLessThanOrEqual(tolerance);
      expect(Math.abs((base[row] ?? 0) - meanOf(ensemble))).toBeLessThanOrEqual(5 * tolerance);
    }
  }

  test('adds up to the margin, from the mean of the training rows', () => {
    fc.assert(fc.property(anyEnsemble(FEATURES), anyBatch(FEATURES), expectAddsUp));
  });
});
