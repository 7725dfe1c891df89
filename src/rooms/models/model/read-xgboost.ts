/**
 * XGBoost's JSON model, as versions 1.7 to 3.x write it (`Booster.save_model('….json')`): booster gbtree or dart, objective
 * binary:logistic or reg:logistic, numerical splits. Everything else that the format can hold is refused, so that no model is
 * run with another meaning. After an early stopping the trees up to the attribute best_iteration score, as in predict_proba.
 */
import { z } from 'zod';
import { naturalLog } from '../../../kit/elementary-functions.ts';
import { checkFeatureNames, checkShape, checkTreeCount, parseJson, refuse } from './bounds.ts';
import {
  type EnsembleHead,
  type LooseTree,
  layOutTrees,
  type TreeEnsemble,
} from './lay-out-trees.ts';

/** A whole number, or its text. */
const count = z.union([
  z.int().min(0),
  z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number),
]);
const single = count.refine((outputs) => outputs <= 1, 'more than one output').optional();
const FINITE = 'must hold finite numbers, not NaN, Infinity or null';
/** A schema for the whole array: a schema for each number would take as long as the rest of a large file. Booleans are 0 and 1. */
const numbers = z
  .custom<readonly (number | boolean)[]>(areFinite, FINITE)
  .transform((values) => Float64Array.from(values, Number));
/** No prediction reads these: what is no finite number counts as absent. */
const unread = z
  .custom<readonly unknown[]>(Array.isArray, 'must be an array')
  .transform((values) => Float64Array.from(values, (value) => Number(value ?? Number.NaN)));
const zeros = numbers.refine((values) => values.every((value) => value === 0), {
  error: 'more than one output',
});

const treeSchema = z.object({
  tree_param: z.object({ num_nodes: count, num_feature: count, size_leaf_vector: single }),
  left_children: numbers,
  right_children: numbers,
  parents: unread,
  split_indices: numbers,
  split_conditions: numbers,
  default_left: numbers,
  sum_hessian: unread,
  loss_changes: unread,
  categories: z.array(z.unknown()).max(0, 'categorical splits are not supported').optional(),
  split_type: numbers
    .refine((types) => types.every((type) => type === 0), 'categorical splits are not supported')
    .optional(),
});
type TreeJson = z.infer<typeof treeSchema>;

const gbtree = z.object({
  name: z.literal('gbtree'),
  // Weights of dart: XGBoost 3.3 has them here, and 3.4 within the model.
  weight_drop: numbers.optional(),
  model: z.object({
    weight_drop: numbers.optional(),
    gbtree_model_param: z.object({ num_trees: count, num_parallel_tree: count.optional() }),
    // The first tree of each round, then the number of trees; XGBoost 1.7 has none.
    iteration_indptr: z.array(z.int()).optional(),
    tree_info: zeros,
    // A tree behind the best round is not read.
    trees: z.array(z.unknown()),
  }),
});
const dart = z
  .object({ name: z.literal('dart'), gbtree, weight_drop: numbers })
  .transform(({ gbtree: { model }, weight_drop }) => ({ model, weight_drop }));

const fileSchema = z.object({
  version: z
    .array(z.int())
    .refine(
      ([major = 0, minor = 0]) => (major === 1 ? minor >= 7 : major === 2 || major === 3),
      'is not within 1.7 to 3.x',
    ),
  learner: z.object({
    attributes: z
      .object({ best_iteration: count.optional(), scikit_learn: z.string().optional() })
      .optional(),
    objective: z.object({ name: z.enum(['binary:logistic', 'reg:logistic']) }),
    learner_model_param: z.object({
      num_feature: count,
      num_class: single,
      num_target: single,
      base_score: z.union([z.number(), z.string()]),
    }),
    feature_names: z.array(z.string()),
    feature_types: z
      .array(z.string())
      .refine((types) => !types.includes('c'), 'categorical features are not supported')
      .optional(),
    gradient_booster: z.discriminatedUnion('name', [gbtree, dart], {
      error: "must be 'gbtree' or 'dart', not another booster",
    }),
  }),
});
type Learner = z.infer<typeof fileSchema>['learner'];

/**
 * @param featureNames for a file without names
 * @throws Failure `MODEL_INVALID`
 */
export function readXgboost(file: unknown, featureNames?: readonly string[]): TreeEnsemble {
  const { learner } = checkShape(fileSchema, file);
  const { learner_model_param: parameters, gradient_booster: booster } = learner;
  const names = checkNames(learner.feature_names, parameters.num_feature, featureNames);
  const { trees, gbtree_model_param: declared } = booster.model;
  const weights = booster.weight_drop ?? booster.model.weight_drop ?? [];
  const head = xgboostHead(names, readBaseScore(parameters.base_score));
  head.missingValue.fill(readMissing(learner.attributes?.scikit_learn));
  const path = 'learner.gradient_booster.model.trees';
  checkTreeCount(path, declared.num_trees);
  if (trees.length !== declared.num_trees) {
    refuse(path, `has ${trees.length} trees, needs ${declared.num_trees}`);
  }
  if (weights.length > 0 && weights.length !== trees.length) {
    refuse('weight_drop', `${weights.length} weights for ${trees.length} trees`);
  }
  const scoring = trees.slice(0, countScoring(learner)).map((tree, index) => {
    const at = `${path}[${index}]`;
    return toLooseTree(checkShape(treeSchema, tree, at), at, names.length, weights[index]);
  });
  return layOutTrees({ ...head, treesInFile: trees.length }, scoring);
}

/** Trees up to the best round of an early stopping; a round has `num_parallel_tree` trees. */
function countScoring({ attributes, gradient_booster }: Learner): number {
  const { trees, iteration_indptr: starts, gbtree_model_param } = gradient_booster.model;
  const best = attributes?.best_iteration;
  if (best === undefined) return trees.length;
  const rounds = best + 1;
  const scoring = starts?.[rounds] ?? rounds * (gbtree_model_param.num_parallel_tree ?? 1);
  if (scoring > 0 && scoring <= trees.length) return scoring;
  const why = `round ${best} is none of a file with ${trees.length} trees`;
  return refuse('learner.attributes.best_iteration', why);
}

export function xgboostHead(featureNames: readonly string[], baseScore: number): EnsembleHead {
  return {
    arithmetic: 'float32',
    featureNames,
    baseScore,
    baseMargin: marginOfBaseScore(baseScore),
    marginScale: 1,
    missingValue: new Float64Array(featureNames.length).fill(Number.NaN),
  };
}

/**
 * The log-odds of a base score in float32 steps, as XGBoost takes them (-logf(1 / p - 1)). The logarithm is rounded correctly
 * here; the C library's differs in the last bit for one base score in 200, never for 0.5.
 */
export function marginOfBaseScore(baseScore: number): number {
  const odds = Math.fround(Math.fround(1 / baseScore) - 1);
  return Math.fround(-naturalLog(odds));
}

function areFinite(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((element) => typeof element === 'boolean' || Number.isFinite(element))
  );
}

function checkNames(
  own: readonly string[],
  features: number,
  given: readonly string[] | undefined,
): readonly string[] {
  const path = 'learner.feature_names';
  const names = own.length > 0 ? own : given;
  if (names === undefined) return refuse(path, 'is empty, and no names were given');
  if (names.length !== features) refuse(path, `${names.length} names for ${features} features`);
  checkFeatureNames(path, names);
  return names;
}

/** A number, its text, or (from 3.1) the text of an array with one number. */
function readBaseScore(given: number | string): number {
  const text = String(given)
    .trim()
    .replace(/^\[(.*)\]$/, '$1');
  const score = text === '' ? Number.NaN : Math.fround(Number(text));
  if (score > 0 && score < 1) return score;
  const path = 'learner.learner_model_param.base_score';
  return refuse(path, `${score} is no probability between 0 and 1`);
}

/** The parameter `missing` of a classifier, which versions before 2.0 note and predict_proba follows; NaN is missing as well. */
function readMissing(noted = '{}'): number {
  const { missing } = Object(parseJson(noted, 'learner.attributes.scikit_learn'));
  return typeof missing === 'number' ? Math.fround(missing) : Number.NaN;
}

/** @param weight of a tree of dart */
function toLooseTree(tree: TreeJson, path: string, features: number, weight = 1): LooseTree {
  const { num_nodes: nodes, num_feature } = tree.tree_param;
  if (num_feature !== features) refuse(path, `${num_feature} features, the model has ${features}`);
  for (const [name, values] of Object.entries(tree)) {
    if (!(values instanceof Float64Array) || values.length === nodes) continue;
    refuse(`${path}.${name}`, `has ${values.length} numbers, needs ${nodes}`);
  }
  const conditions = tree.split_conditions.map(Math.fround);
  const loose: LooseTree = {
    path,
    left: tree.left_children,
    right: tree.right_children,
    feature: tree.split_indices,
    threshold: conditions,
    missingLeft: tree.default_left,
    value: conditions.map((value) => Math.fround(weight * value)),
    cover: tree.sum_hessian,
    gain: tree.loss_changes,
  };
  checkParents(loose, tree.parents);
  return loose;
}

/** The file has every edge twice; a file that contradicts itself is damaged. */
function checkParents({ path, left, right }: LooseTree, parents: Float64Array): void {
  for (let node = 0; node < parents.length; node++) {
    for (const child of [left[node] ?? -1, right[node] ?? -1]) {
      // The root has no parent, and other indexes are checked when the tree is walked.
      const named = child > 0 ? parents[child] : undefined;
      if (Number.isFinite(named) && named !== node) {
        refuse(`${path}.parents[${child}]`, `is ${named}, but node ${node} leads here`);
      }
    }
  }
}
