/** A small XGBoost file that is right in every field, for tests to change. */

/** A split on `a` below 1, NaN to the left, and on the right a split on `b` below -0.5. */
function makeTree() {
  return {
    base_weights: [0, -0.5, 0.25, 0.1, 0.9],
    categories: [] as number[],
    default_left: [1, 0, 0, 0, 0] as (number | boolean)[],
    id: 0,
    left_children: [1, -1, 3, -1, -1],
    loss_changes: [3, 0, 1, 0, 0],
    parents: [2147483647, 0, 0, 2, 2],
    right_children: [2, -1, 4, -1, -1],
    split_conditions: [1, -0.5, -0.5, 0.1, 0.9] as (number | null)[],
    split_indices: [0, 0, 1, 0, 0],
    split_type: [0, 0, 0, 0, 0],
    sum_hessian: [9, 5, 4, 3, 1],
    tree_param: { num_deleted: '0', num_feature: '2', num_nodes: '5', size_leaf_vector: '0' },
  };
}

export function makeFile() {
  return {
    learner: {
      feature_names: ['a', 'b'],
      feature_types: [] as string[],
      gradient_booster: {
        model: {
          gbtree_model_param: { num_trees: '2' },
          tree_info: [0, 0],
          trees: [makeTree(), makeTree()],
        },
        name: 'gbtree',
      },
      learner_model_param: {
        base_score: '5E-1' as string | number,
        num_class: '0',
        num_feature: '2',
        num_target: '1',
      },
      objective: { name: 'binary:logistic' },
    },
    version: [1, 7, 4],
  };
}
