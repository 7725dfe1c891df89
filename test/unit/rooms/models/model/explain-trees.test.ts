/**
 * Goal: explanations add up, from the mean of the training rows. Method: drawn trees and batches; golden/xgboost-margins.test.ts has
 * the Shapley values of the library.
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
const meanOf = (ensemble: TreeEnsemble) =>
  [...ensemble.roots].reduce((sum, root) => sum + (ensemble.value[root] ?? 0), 0);

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
