/**
 * A tree ensemble as XGBoost JSON, with every field that version 1.7 asks for, so that Python's
 * xgboost 1.7 and later load it. Written by hand rather than by JSON.stringify, because the format tells
 * floats from integers.
 */
import { type TreeEnsemble, treeEnd } from './lay-out-trees.ts';

/** The version whose format this is. */
const VERSION = [1, 7, 4];
/** Parent that XGBoost writes for a root: the largest int32. */
const NO_PARENT = 2_147_483_647;

/**
 * Reading the text back gives an ensemble with the same margins, bit for bit.
 * @throws Error for an ensemble that XGBoost would run differently
 */
export function writeXgboost(ensemble: TreeEnsemble): string {
  const { arithmetic, marginScale, featureNames, roots, baseScore } = ensemble;
  if (arithmetic !== 'float32' || marginScale !== 1) {
    throw new Error('only a float32 ensemble with plain log-odds is XGBoost');
  }
  const features = featureNames.length;
  const trees = Array.from(roots, (_, tree) => writeTree(ensemble, tree));
  const model = [
    `"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"${roots.length}","size_leaf_vector":"0"}`,
    `"tree_info":[${trees.map(() => 0).join()}]`,
    `"trees":[${trees.join()}]`,
  ].join();
  const parameters = [
    `"base_score":"${float32Text(baseScore)}"`,
    '"boost_from_average":"0"',
    '"num_class":"0"',
    `"num_feature":"${features}"`,
    '"num_target":"1"',
  ].join();
  const learner = [
    '"attributes":{}',
    `"feature_names":${JSON.stringify(featureNames)}`,
    `"feature_types":${JSON.stringify(featureNames.map(() => 'float'))}`,
    `"gradient_booster":{"model":{${model}},"name":"gbtree"}`,
    `"learner_model_param":{${parameters}}`,
    '"objective":{"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}}',
  ].join();
  return `{"learner":{${learner}},"version":${JSON.stringify(VERSION)}}\n`;
}

function writeTree(ensemble: TreeEnsemble, tree: number): string {
  const { feature, threshold, left, missing, value, cover, gain } = ensemble;
  const root = ensemble.roots[tree] ?? 0;
  const nodes = Array.from({ length: treeEnd(ensemble, tree) - root }, (_, node) => root + node);
  const parents = nodes.map(() => NO_PARENT);
  for (const node of nodes) {
    const child = left[node] ?? -1;
    if (child >= 0) parents.fill(node - root, child - root, child - root + 2);
  }
  const isLeaf = (node: number) => (left[node] ?? -1) < 0;
  const childOf = (node: number, at: number) => (isLeaf(node) ? -1 : (left[node] ?? 0) - root + at);
  const integers = (of: (node: number) => number) => `[${nodes.map(of).join()}]`;
  const floats = (of: (node: number) => number | undefined) =>
    `[${nodes.map((node) => float32Text(of(node) ?? 0)).join()}]`;
  const zeros = integers(() => 0);
  const fields = [
    `"base_weights":${floats((node) => value[node])}`,
    '"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[]',
    `"default_left":${integers((node) => (!isLeaf(node) && missing[node] === left[node] ? 1 : 0))}`,
    `"id":${tree}`,
    `"left_children":${integers((node) => childOf(node, 0))}`,
    `"loss_changes":${floats((node) => gain[node])}`,
    `"parents":[${parents.join()}]`,
    `"right_children":${integers((node) => childOf(node, 1))}`,
    `"split_conditions":${floats((node) => (isLeaf(node) ? value[node] : threshold[node]))}`,
    `"split_indices":${integers((node) => (isLeaf(node) ? 0 : (feature[node] ?? 0)))}`,
    `"split_type":${zeros}`,
    `"sum_hessian":${floats((node) => cover[node])}`,
    `"tree_param":{"num_deleted":"0","num_feature":"${ensemble.featureNames.length}","num_nodes":"${nodes.length}","size_leaf_vector":"0"}`,
  ];
  return `{${fields.join()}}`;
}

/** Digits that are always enough for a float32. */
const DIGITS_MAX = 9;
/** Fewer digits are seldom enough: the search starts here and goes up. */
const DIGITS_MIN = 6;

/**
 * The shortest text that reads back as the same float32. With an exponent (`5E-1`), as XGBoost writes its own and needs them: a JSON number without point and
 * exponent is an integer to it, and refused where a float belongs.
 */
function float32Text(value: number): string {
  const single = Math.fround(value);
  for (let digits = DIGITS_MIN; digits < DIGITS_MAX; digits++) {
    const text = single.toExponential(digits - 1);
    if (Math.fround(Number(text)) === single) return shorten(text);
  }
  return shorten(single.toExponential(DIGITS_MAX - 1));
}

/** `1.500000e+0` to `1.5E0`. */
function shorten(text: string): string {
  const [digits = '0', exponent = '0'] = text.split('e');
  const trimmed = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  return `${trimmed}E${Number(exponent)}`;
}
