/** Goal: inputs are compared as the library compares them, and trees stay within bounds. golden/xgboost-margins.test.ts has its margins. */
import { describe, expect, test } from 'vitest';
import { layOutTrees } from '../../../../../src/rooms/models/model/lay-out-trees.ts';
import { type Branch, headOf, looseTree, predictTrees, refusalOf } from './support.ts';

describe('predictTrees', () => {
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
