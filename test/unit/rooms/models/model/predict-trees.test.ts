/** Goal: batches give the results of a walk by hand. Method: a second, recursive evaluation of drawn trees. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  layOutTrees,
  type TreeEnsemble,
} from '../../../../../src/rooms/models/model/lay-out-trees.ts';
import {
  anyBatch,
  anyEnsemble,
  type Branch,
  headOf,
  looseTree,
  predictTrees,
  refusalOf,
} from './support.ts';

function walk(ensemble: TreeEnsemble, node: number, row: readonly number[]): number {
  const feature = ensemble.feature[node] ?? -1;
  if (feature < 0) return ensemble.value[node] ?? Number.NaN;
  const value = Math.fround(row[feature] ?? Number.NaN);
  const left = ensemble.left[node] ?? -1;
  const missing = ensemble.missing[node] ?? -1;
  const next = Number.isNaN(value)
    ? missing
    : left + (value < (ensemble.threshold[node] ?? 0) ? 0 : 1);
  return walk(ensemble, next, row);
}

describe('predictTrees', () => {
  test('adds the leaf of every tree in float32, in order', () => {
    fc.assert(
      fc.property(anyEnsemble(3, 6), anyBatch(3, 150), (ensemble, batch) => {
        const margins = predictTrees(ensemble, batch);
        for (let index = 0; index < batch.rows; index++) {
          const row = [...batch.values.subarray(index * 3, index * 3 + 3)];
          let sum = 0;
          for (const root of ensemble.roots) sum = Math.fround(sum + walk(ensemble, root, row));
          expect(margins[index]).toBe(sum);
        }
      }),
    );
  });

  test('compares inputs after rounding them to float32', () => {
    const threshold = Math.fround(0.1);
    const branch: Branch = {
      ...{ feature: 0, threshold, missingLeft: false },
      left: { value: 1, cover: 1 },
      right: { value: 2, cover: 1 },
    };
    // As a double 0.1 lies below its float32.
    const batch = { rows: 1, values: Float64Array.of(0.1) };
    const margin = (arithmetic: 'float32' | 'float64') =>
      predictTrees(layOutTrees(headOf(1, arithmetic), [looseTree(branch)]), batch)[0];
    expect(margin('float32')).toBe(2);
    expect(margin('float64')).toBe(1);
  });
});

test('layOutTrees refuses more nodes and deeper trees than its bounds', () => {
  const leaf: Branch = { value: 1, cover: 1 };
  const split = { feature: 0, threshold: 0, missingLeft: true };
  const full = (depth: number): Branch =>
    depth === 0 ? leaf : { ...split, left: full(depth - 1), right: full(depth - 1) };
  const chain = (depth: number): Branch =>
    depth === 0 ? leaf : { ...split, left: leaf, right: chain(depth - 1) };
  const refused = (...trees: ReturnType<typeof looseTree>[]) =>
    refusalOf(() => layOutTrees(headOf(1, 'float32'), trees));
  const many = Array(1000).fill(looseTree(full(10)));
  expect(refused(...many)).toBe('trees: 2047000 nodes, at most 2000000');
  expect(refused(looseTree(chain(65)))).toBe('tree: is deeper than 64');
});
