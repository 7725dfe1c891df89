/** Goal: an XGBoost file is read as meant or refused, at the place where it is wrong. */
import { expect, test } from 'vitest';
import { MODEL_TREES_MAX } from '../../../../../src/rooms/models/model/bounds.ts';
import { readXgboost } from '../../../../../src/rooms/models/model/read-xgboost.ts';
import { predictTrees, refusalOf } from './support.ts';
import { makeFile } from './xgboost-file.ts';

type File = ReturnType<typeof makeFile>;

function read(change: (file: File) => void) {
  const file = makeFile();
  change(file);
  return readXgboost(JSON.parse(JSON.stringify(file)));
}

const treesOf = (file: File) => file.learner.gradient_booster.model.trees;

test.each(['2E-1', '[2E-1]', 0.2, '0.2'])('readXgboost reads the base score %j', (baseScore) => {
  const ensemble = read((file) => {
    file.learner.learner_model_param.base_score = baseScore;
  });
  expect(ensemble.baseScore).toBe(Math.fround(0.2));
  expect(ensemble.baseMargin).toBe(Math.fround(-Math.log(Math.fround(4))));
});

test('readXgboost takes names for a file without names', () => {
  const file = makeFile();
  file.learner.feature_names = [];
  const text: unknown = JSON.parse(JSON.stringify(file));
  expect(readXgboost(text, ['x', 'y']).featureNames).toEqual(['x', 'y']);
  expect(refusalOf(() => readXgboost(text))).toContain('learner.feature_names');
  expect(refusalOf(() => readXgboost(text, ['x']))).toContain('1 names for 2 features');
});

const trees = 'learner.gradient_booster.model.trees';
const [model, learned] = ['learner.gradient_booster.model', 'learner.learner_model_param'];
/** A path of the file, what stands there in its place (nothing removes the last element), and the refusal. */
test.each([
  ['version', [1, 6, 2], 'version: is not within 1.7 to 3.x'],
  ['learner.objective.name', 'multi:softprob', 'learner.objective.name: must be'],
  ['learner.gradient_booster.name', 'gblinear', "name: must be 'gbtree' or 'dart', not"],
  [`${model}.weight_drop`, [1], 'weight_drop: 1 weights for 2 trees'],
  [`${model}.weight_drop`, [1, null], `${model}.weight_drop: must hold finite numbers, not NaN`],
  [`${learned}.num_class`, '3', `${learned}.num_class: more than one output`],
  [`${learned}.base_score`, '1', `${learned}.base_score: 1`],
  ['learner.feature_names', undefined, 'learner.feature_names: 1 names'],
  ['learner.feature_names.1', 'a', 'learner.feature_names[1]: a is there twice'],
  ['learner.feature_types', ['float', 'c'], 'learner.feature_types: categorical'],
  [`${trees}.1.split_type.2`, 1, `${trees}[1].split_type: categorical`],
  [trees, undefined, `${trees}: has 1 trees, needs 2`],
  [
    `${model}.gbtree_model_param.num_trees`,
    '999999999',
    `${trees}: 999999999 trees, at most ${MODEL_TREES_MAX}`,
  ],
  [`${trees}.1.left_children.2`, 0, `${trees}[1]: more than one way leads to node 0`],
  [`${trees}.1.parents.3`, 0, `${trees}[1].parents[3]: is 0, but node 2 leads here`],
  [`${trees}.1.left_children.2`, 5, `${trees}[1]: node 2 leads to node 5 of 5`],
  [`${trees}.1.split_conditions.3`, null, `${trees}[1].split_conditions: must hold finite`],
  [
    `${trees}.1.split_conditions.3`,
    '-Infinity',
    `${trees}[1].split_conditions: must hold finite numbers, not NaN`,
  ],
  [`${trees}.1.split_conditions.3`, 1e300, `${trees}[1]: node 3 has a value of Infinity`],
  [`${trees}.1.split_indices.2`, 2, `${trees}[1]: node 2 splits on feature 2 of 2`],
  [`${trees}.1.sum_hessian.4`, -1, `${trees}[1]: node 4 has a cover of -1`],
  [`${trees}.1.left_children`, undefined, `${trees}[1].left_children: has 4 numbers, needs 5`],
  ['learner.attributes', { best_iteration: '2' }, 'learner.attributes.best_iteration: round 2'],
  ['learner.attributes', { best_iteration: '-1' }, 'learner.attributes.best_iteration: must'],
  ['learner.attributes', { best_iteration: 'NaN' }, 'learner.attributes.best_iteration: must'],
  ['learner.attributes', { scikit_learn: '{' }, 'learner.attributes.scikit_learn: not JSON'],
])('readXgboost refuses %s of %j', (path, value, message) => {
  const refused = refusalOf(() =>
    read((file) => {
      const names = path.split('.');
      const last = names.pop() ?? '';
      const parent = names.reduce((at: object, name) => Reflect.get(at, name), file);
      if (value === undefined) Reflect.get(parent, last).pop();
      else Reflect.set(parent, last, value);
    }),
  );
  expect(refused).toContain(message);
});

const unread = ['parents', 'sum_hessian', 'loss_changes', 'base_weights'] as const;
test.each(unread)(
  'readXgboost takes what is no number in %s, which no prediction reads',
  (member) => {
    const ensemble = read((file) => {
      for (const [at, value] of ['NaN', 'Infinity', '-Infinity', null].entries())
        Reflect.set(treesOf(file)[0]?.[member] ?? [], at, value);
    });
    const { cover, gain, value } = ensemble;
    expect([...cover, ...gain, ...value].every(Number.isFinite)).toBe(true);
    const batch = { rows: 1, values: Float64Array.of(0, 0) };
    expect([...predictTrees(ensemble, batch)]).toEqual([-1]);
  },
);

test.each([-999, 0.1])(
  'readXgboost takes %d as missing where a classifier of 1.7 did',
  (missing) => {
    const ensemble = read((file) => {
      const scikit_learn = JSON.stringify({ missing, n_estimators: 2 });
      Object.assign(file.learner, { attributes: { scikit_learn } });
      for (const tree of treesOf(file)) tree.default_left[0] = 0;
    });
    // The value is below the first threshold, and a missing one goes to the right.
    const values = Float64Array.of(missing, 0.5, missing - 0.5, 0.5);
    const right = Math.fround(2 * Math.fround(0.9));
    expect([...predictTrees(ensemble, { rows: 2, values })]).toEqual([right, -1]);
  },
);

test('readXgboost weighs the trees of dart as version 3.3 writes the weights', () => {
  const weight_drop = [0.5, 0.25];
  const ensemble = read((file) => {
    Object.assign(file.learner.gradient_booster, { weight_drop });
  });
  const batch = { rows: 1, values: Float64Array.of(1, 0) };
  const margin = Math.fround(0.5 * Math.fround(0.9)) + Math.fround(0.25 * Math.fround(0.9));
  expect([...predictTrees(ensemble, batch)]).toEqual([Math.fround(margin)]);
});

/** Members of the model, the best round, and how many of six trees score. */
test.each([
  [{}, '2', 3],
  [{ gbtree_model_param: { num_trees: '6', num_parallel_tree: '2' } }, '1', 4],
  [{ iteration_indptr: [0, 1, 3, 6] }, '1', 3],
  [{ iteration_indptr: [0, 3, 6] }, '1', 6],
])('readXgboost finds that with %j the trees up to round %s score', (members, best, scoring) => {
  const ensemble = read((file) => {
    const { model } = file.learner.gradient_booster;
    const [tree] = model.trees;
    const more = { trees: Array(6).fill(tree), tree_info: Array(6).fill(0) };
    Object.assign(model, { gbtree_model_param: { num_trees: '6' }, ...more, ...members });
    Object.assign(file.learner, { attributes: { best_iteration: best } });
    // No prediction reads a tree behind the best round.
    if (scoring < 6) Reflect.set(model.trees, 5, { damaged: true });
  });
  expect(ensemble.roots).toHaveLength(scoring);
  expect(ensemble.treesInFile).toBe(6);
});

test('readXgboost refuses more than 1,000 features', () => {
  const names = Array.from({ length: 1001 }, (_, nth) => `f${nth}`);
  const many = (file: File) => {
    file.learner.feature_names = names;
    file.learner.learner_model_param.num_feature = String(names.length);
  };
  expect(refusalOf(() => read(many))).toContain('1001 features, at most 1000');
});
