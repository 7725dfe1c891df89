import { describe, expect, test } from 'vitest';
import { nextDouble } from '../../../../../src/rooms/models/model/predict-trees.ts';
import { readLightgbm } from '../../../../../src/rooms/models/model/read-lightgbm.ts';
import { LIGHTGBM_FILE } from './lightgbm-file.ts';
import { predictTrees, refusalOf } from './support.ts';

function marginOf(text: string, row: readonly number[]): number | undefined {
  return predictTrees(readLightgbm(text), { rows: 1, values: Float64Array.from(row) })[0];
}

function changed(...changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, LIGHTGBM_FILE);
}

describe('readLightgbm', () => {
  test.each([
    ['at the threshold goes left', [100, 0, 1], 0.125 + 2],
    ['the next double goes right', [nextDouble(100), 0.5, 1], -0.25 + 2],
    ['what is nearly zero of missing type zero goes its way', [101, 1, -1e-36], 0.5 + 2],
    ['what is not zero is compared', [101, 1, -1], 0.5 + 1],
  ])('%s', (_, row, margin) => {
    expect(marginOf(LIGHTGBM_FILE, row)).toBe(margin + 0.0625);
  });

  const lines = ['\r\n', '\n'] as const;
  test.each(lines)('reads lines that end with %j', (end) => {
    const text = LIGHTGBM_FILE.replaceAll('\n', end);
    expect(marginOf(text, [101, 0.51, 1])).toBe(0.5 + 2 + 0.0625);
  });

  test.each([
    ['infinity, as an early version writes it', '1e+300', '8', [1e299, 0, 1], 0.125 + 2],
    ['minus infinity', '-inf', '10', [-1e300, 0, 1], -0.25 + 2],
  ])('a threshold of %s is compared', (_, threshold, type, row, margin) => {
    const text = changed(
      ['threshold=100 0.5', `threshold=${threshold} 0.5`],
      ['decision_type=10', `decision_type=${type}`],
    );
    expect(marginOf(text, row)).toBe(margin + 0.0625);
  });

  /** As after a second training on other rows: both splits of tree 0 are on the amount. */
  const twice = (types: string) =>
    changed(['split_feature=0 1', 'split_feature=0 0'], ['decision_type=10 0', types]);

  test.each([
    ['NaN is 0', Number.NaN],
    ['0 is missing where its type is zero', 0],
  ])('two missing types, zero and none, at one feature: %s', (_, amount) => {
    expect(marginOf(twice('decision_type=4 0'), [amount, 0, 1])).toBe(-0.25 + 2 + 0.0625);
  });

  test('refuses types NaN and zero at one feature', () => {
    const refused = refusalOf(() => readLightgbm(twice('decision_type=10 4')));
    expect(refused).toBe('Tree=0: node 1 and an earlier one treat missing values differently');
  });

  const unread = ['split_gain', 'internal_count', 'leaf_count'] as const;
  test.each(unread)('%s, which no prediction reads, may be absent or no number', (name) => {
    const line = new RegExp(`^${name}=.*$`, 'm');
    for (const to of [`${name}=inf -nan nan`, 'leaf_weight=']) {
      const ensemble = readLightgbm(LIGHTGBM_FILE.replace(line, to));
      expect([...ensemble.cover, ...ensemble.gain, ...ensemble.value].every(Number.isFinite)).toBe(
        true,
      );
      expect(marginOf(LIGHTGBM_FILE.replace(line, to), [101, 0, 1])).toBe(-0.25 + 2 + 0.0625);
    }
  });

  test.each([
    ['a truncated file', 'end of trees', 'end of', 'truncated'],
    ['another version', 'version=v4', 'version=v9', 'version: v9'],
    ['another objective', 'objective=binary', 'objective=lambdarank', 'objective: lambdarank'],
    ['several classes', 'num_class=1', 'num_class=3', 'num_class: more than one output'],
    ['a missing tree', 'tree_sizes=400 300', 'tree_sizes=400 300 9', 'tree_sizes: 4 for 3 trees'],
    ['trees out of order', 'Tree=1', 'Tree=7', 'Tree=1: is 7'],
    ['a categorical split', 'num_cat=0', 'num_cat=1', 'Tree=0: categorical'],
    ['a categorical node', 'decision_type=10 0', 'decision_type=9 0', 'Tree=0: node 0 is categor'],
    ['an unknown missing type', 'decision_type=10', 'decision_type=14', 'Tree=0: node 0 has decis'],
    ['linear leaves', 'is_linear=0', 'is_linear=1', 'Tree=0: linear leaves'],
    ['a leaf of NaN', 'leaf_value=0.125', 'leaf_value=nan', 'Tree=0: leaf_value[0] is no finite'],
    ['too few thresholds', 'threshold=100 0.5', 'threshold=100', 'Tree=0: threshold has 1 numbers'],
    ['a cycle', 'right_child=1 -3', 'right_child=0 -3', 'Tree=0: more than one way leads to'],
    ['a leaf that is not there', 'right_child=1 -3', 'right_child=1 -9', 'leads to node 10 of 5'],
    ['a feature that is not there', 'split_feature=0 1', 'split_feature=0 8', 'feature 8 of 3'],
    ['no leaves', 'num_leaves=3', 'num_leaves=0', 'Tree=0: has 0 leaves'],
    ['a threshold of NaN', 'threshold=100', 'threshold=nan', 'Tree=0: threshold[0] is no finite'],
    [
      'an infinite leaf',
      'leaf_value=0.125',
      'leaf_value=-inf',
      'leaf_value[0] is no finite number',
    ],
  ])('refuses %s', (_, from, to, message) => {
    expect(LIGHTGBM_FILE).toContain(from);
    expect(refusalOf(() => readLightgbm(LIGHTGBM_FILE.replace(from, to)))).toContain(message);
  });
});
