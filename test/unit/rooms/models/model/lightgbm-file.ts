/** A small LightGBM model with every missing type, written by hand from the format's document. */

/**
 * Tree 0: amount <= 100 (NaN goes left): 0.125; else rate <= 0.5 (missing type none): -0.25, else 0.5.
 * Tree 1: gap <= -1 (zero is missing and goes right): 1; else 2. Tree 2: one leaf.
 */
export const LIGHTGBM_FILE = `tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=binary sigmoid:2
feature_names=amount rate gap
feature_infos=[0:900] [0:1] [-5:5]
tree_sizes=400 300 100

Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
split_gain=10 5
threshold=100 0.5
decision_type=10 0
left_child=-1 -2
right_child=1 -3
leaf_value=0.125 -0.25 0.5
leaf_weight=5 3 2
leaf_count=50 30 20
internal_value=0 0.05
internal_weight=10 5
internal_count=100 50
is_linear=0
shrinkage=0.1


Tree=1
num_leaves=2
num_cat=0
split_feature=2
split_gain=1
threshold=-1
decision_type=4
left_child=-1
right_child=-2
leaf_value=1 2
leaf_weight=5 5
leaf_count=10 90
internal_value=0
internal_weight=10
internal_count=100
is_linear=0
shrinkage=0.1


Tree=2
num_leaves=1
num_cat=0
split_feature=
split_gain=
threshold=
decision_type=
left_child=
right_child=
leaf_value=0.0625
leaf_weight=
leaf_count=
internal_value=
internal_weight=
internal_count=
is_linear=0
shrinkage=1


end of trees

feature_importances:
amount=1

parameters:
[boosting: gbdt]
end of parameters

pandas_categorical:null
`;
