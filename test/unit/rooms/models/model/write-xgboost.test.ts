/** Goal: what is written is XGBoost's format, field by field, and gives the same margins. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layOutTrees } from '../../../../../src/rooms/models/model/lay-out-trees.ts';
import { predictTrees } from '../../../../../src/rooms/models/model/predict-trees.ts';
import { readXgboost } from '../../../../../src/rooms/models/model/read-xgboost.ts';
import { writeXgboost } from '../../../../../src/rooms/models/model/write-xgboost.ts';
import { anyBatch, anyEnsemble, headOf, looseTree } from './support.ts';

const ensemble = layOutTrees(headOf(2, 'float32'), [
  looseTree({
    feature: 1,
    threshold: 0.5,
    missingLeft: true,
    left: { value: -1, cover: 3 },
    right: { value: 0.25, cover: 1 },
  }),
]);

describe('writeXgboost', () => {
  test('writes every field of the format', () => {
    expect(JSON.parse(writeXgboost(ensemble))).toEqual({
      learner: {
        attributes: {},
        feature_names: ['f0', 'f1'],
        feature_types: ['float', 'float'],
        gradient_booster: {
          model: {
            gbtree_model_param: { num_parallel_tree: '1', num_trees: '1', size_leaf_vector: '0' },
            tree_info: [0],
            trees: [
              {
                base_weights: [-0.6875, -1, 0.25],
                categories: [],
                categories_nodes: [],
                categories_segments: [],
                categories_sizes: [],
                default_left: [1, 0, 0],
                id: 0,
                left_children: [1, -1, -1],
                loss_changes: [1, 0, 0],
                parents: [2147483647, 0, 0],
                right_children: [2, -1, -1],
                split_conditions: [0.5, -1, 0.25],
                split_indices: [1, 0, 0],
                split_type: [0, 0, 0],
                sum_hessian: [4, 3, 1],
                tree_param: {
                  num_deleted: '0',
                  num_feature: '2',
                  num_nodes: '3',
                  size_leaf_vector: '0',
                },
              },
            ],
          },
          name: 'gbtree',
        },
        learner_model_param: {
          base_score: '5E-1',
          boost_from_average: '0',
          num_class: '0',
          num_feature: '2',
          num_target: '1',
        },
        objective: { name: 'binary:logistic', reg_loss_param: { scale_pos_weight: '1' } },
      },
      version: [1, 7, 4],
    });
  });

  test('reads back as the same ensemble', () => {
    fc.assert(
      fc.property(anyEnsemble(3), anyBatch(3), (drawn, batch) => {
        const again = readXgboost(JSON.parse(writeXgboost(drawn)));
        expect(again.threshold).toEqual(drawn.threshold);
        expect(again.missing).toEqual(drawn.missing);
        expect(again.cover).toEqual(drawn.cover);
        expect(predictTrees(again, batch)).toEqual(predictTrees(drawn, batch));
      }),
    );
  });

  test('refuses what XGBoost would run otherwise', () => {
    expect(() => writeXgboost({ ...ensemble, arithmetic: 'float64' })).toThrow('float32');
    expect(() => writeXgboost({ ...ensemble, marginScale: 2 })).toThrow('log-odds');
  });
});
