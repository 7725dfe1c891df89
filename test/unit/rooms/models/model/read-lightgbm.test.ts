import { describe, expect, test } from 'vitest';
import { readLightgbm } from '../../../../../src/rooms/models/model/model.ts';
import { nextDouble, predictTrees } from '../../../../../src/rooms/models/model/predict-trees.ts';
import { LIGHTGBM_FILE } from './lightgbm-file.ts';
import { refusalOf } from './support.ts';

const NAN = Number.NaN;

describe('readLightgbm', () => {
  test.each([
    ['at the threshold goes left', [100, 0, 1], 0.125 + 2],
    ['the next double goes right', [nextDouble(100), 0.5, 1], -0.25 + 2],
    ['the second split', [101, 0.51, 1], 0.5 + 2],
    ['NaN of missing type NaN goes its way', [NAN, 9, 1], 0.125 + 2],
    ['NaN of missing type none is 0', [101, NAN, 1], -0.25 + 2],
    ['NaN of missing type zero goes its way', [101, 1, NAN], 0.5 + 2],
    ['zero of missing type zero goes its way', [101, 1, 0], 0.5 + 2],
    ['what is nearly zero too', [101, 1, -1e-36], 0.5 + 2],
    ['what is not zero is compared', [101, 1, -1], 0.5 + 1],
  ])('%s', (_, row, margin) => {
    const batch = { rows: 1, values: Float64Array.from(row) };
    expect(predictTrees(readLightgbm(LIGHTGBM_FILE), batch)).toEqual(
      Float64Array.of(margin + 0.0625),
    );
  });

  test.each([
    ['a truncated file', 'end of trees', 'end of', 'truncated'],
    ['another version', 'version=v4', 'version=v9', 'version: v9'],
    ['another objective', 'objective=binary', 'objective=lambdarank', 'objective: lambdarank'],
    ['several classes', 'num_class=1', 'num_class=3', 'num_class: more than one output'],
    ['averaged trees', 'label_index=0', 'average_output', 'average_output: is not supported'],
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
    ['different missing types', 'split_feature=0 1', 'split_feature=0 0', 'treat missing values'],
  ])('refuses %s', (_, from, to, message) => {
    expect(LIGHTGBM_FILE).toContain(from);
    expect(refusalOf(() => readLightgbm(LIGHTGBM_FILE.replace(from, to)))).toContain(message);
  });
});
