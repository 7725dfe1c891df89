/** Goal: an XGBoost file is read as meant or refused, at the place where it is wrong. */
import { describe, expect, test } from 'vitest';
import {
  MODEL_FEATURES_MAX,
  MODEL_TREES_MAX,
  parseJson,
} from '../../../../../src/rooms/models/model/bounds.ts';
import { predictTrees } from '../../../../../src/rooms/models/model/predict-trees.ts';
import {
  marginOfBaseScore,
  readXgboost,
} from '../../../../../src/rooms/models/model/read-xgboost.ts';
import { refusalOf } from './support.ts';
import { makeFile, makeTree } from './xgboost-file.ts';

type File = ReturnType<typeof makeFile>;

function read(change: (file: File) => void) {
  const file = makeFile();
  change(file);
  return readXgboost(JSON.parse(JSON.stringify(file)));
}

const treesOf = (file: File) => file.learner.gradient_booster.model.trees;

/** The second tree of the file. */
function secondOf(file: File) {
  const tree = treesOf(file)[1];
  if (tree === undefined) throw new Error('two trees');
  return tree;
}

describe('readXgboost', () => {
  test('sends values below the threshold left, and NaN by default', () => {
    const rows = [
      [0.99, 0],
      [1, -0.6],
      [1, -0.5],
      [Number.NaN, 7],
      [1, Number.NaN],
    ];
    const values = Float64Array.from(rows.flat());
    const margins = predictTrees(
      read(() => undefined),
      { rows: rows.length, values },
    );
    const twice = (value: number) => Math.fround(2 * Math.fround(value));
    expect([...margins]).toEqual([-1, twice(0.1), twice(0.9), -1, twice(0.9)]);
  });

  test.each(['2E-1', '[2E-1]', 0.2, '0.2'])('reads the base score %j', (baseScore) => {
    const ensemble = read((file) => {
      file.learner.learner_model_param.base_score = baseScore;
    });
    expect(ensemble.baseScore).toBe(Math.fround(0.2));
    expect(ensemble.baseMargin).toBe(Math.fround(-Math.log(Math.fround(4))));
  });

  test('a base score of one half is a margin of nothing', () => {
    expect(Math.abs(marginOfBaseScore(0.5))).toBe(0);
  });

  test.each([[[1, 7, 0]], [[2, 1, 4]], [[3, 2, 0]]])('reads version %j', (version) => {
    const ensemble = read((file) => {
      file.version = version;
      // 2.x and later write booleans here.
      for (const tree of treesOf(file))
        tree.default_left = tree.default_left.map((bit) => bit === 1);
    });
    expect(ensemble.roots).toHaveLength(2);
    expect(ensemble.missing[0]).toBe(ensemble.left[0]);
  });

  test('takes names for a file without names', () => {
    const file = makeFile();
    file.learner.feature_names = [];
    const text: unknown = JSON.parse(JSON.stringify(file));
    expect(readXgboost(text, ['x', 'y']).featureNames).toEqual(['x', 'y']);
    expect(refusalOf(() => readXgboost(text))).toContain('learner.feature_names');
    expect(refusalOf(() => readXgboost(text, ['x']))).toContain('1 names for 2 features');
  });

  const trees = 'learner.gradient_booster.model.trees';
  const refused: [string, string, (file: File) => void][] = [
    [
      'an unknown version',
      'version: is not within 1.7 to 3.x',
      (file) => {
        file.version = [1, 6, 2];
      },
    ],
    [
      'a later version',
      'version: is not within 1.7 to 3.x',
      (file) => {
        file.version = [4, 0, 0];
      },
    ],
    [
      'another objective',
      'learner.objective.name: must be',
      (file) => {
        file.learner.objective.name = 'multi:softprob';
      },
    ],
    [
      'another booster',
      'learner.gradient_booster.name: must be',
      (file) => {
        file.learner.gradient_booster.name = 'dart';
      },
    ],
    [
      'several classes',
      'learner.learner_model_param.num_class: more than one output',
      (file) => {
        file.learner.learner_model_param.num_class = '3';
      },
    ],
    [
      'a base score that is no probability',
      'learner.learner_model_param.base_score: 1',
      (file) => {
        file.learner.learner_model_param.base_score = '1';
      },
    ],
    [
      'fewer names than features',
      'learner.feature_names: 1 names',
      (file) => void file.learner.feature_names.pop(),
    ],
    [
      'a name that is there twice',
      'learner.feature_names[1]: a is there twice',
      (file) => {
        file.learner.feature_names[1] = 'a';
      },
    ],
    [
      'a categorical feature',
      'learner.feature_types: categorical',
      (file) => {
        file.learner.feature_types = ['float', 'c'];
      },
    ],
    [
      'a categorical split',
      `${trees}[1].split_type: categorical`,
      (file) => {
        secondOf(file).split_type[2] = 1;
      },
    ],
    [
      'fewer trees than it says',
      `${trees}: has 1 trees, needs 2`,
      (file) => void treesOf(file).pop(),
    ],
    [
      'more trees than are run',
      `${trees}: 999999999 trees, at most ${MODEL_TREES_MAX}`,
      (file) => {
        file.learner.gradient_booster.model.gbtree_model_param.num_trees = '999999999';
      },
    ],
    [
      'a cycle',
      `${trees}[1]: more than one way leads to node 0`,
      (file) => {
        secondOf(file).left_children[2] = 0;
      },
    ],
    [
      'a shared child',
      `${trees}[1]: more than one way leads to node 4`,
      (file) => {
        secondOf(file).left_children[2] = 4;
      },
    ],
    [
      'parents that contradict the children',
      `${trees}[1].parents[3]: is 0, but node 2 leads here`,
      (file) => {
        secondOf(file).parents[3] = 0;
      },
    ],
    [
      'a child that is not there',
      `${trees}[1]: node 2 leads to node 5 of 5`,
      (file) => {
        secondOf(file).left_children[2] = 5;
      },
    ],
    [
      'a child between two nodes',
      `${trees}[1]: node 2 leads to node 3.5 of 5`,
      (file) => {
        secondOf(file).left_children[2] = 3.5;
      },
    ],
    [
      'a leaf without a number',
      `${trees}[1].split_conditions: must hold finite numbers`,
      (file) => {
        secondOf(file).split_conditions[3] = null;
      },
    ],
    [
      'a leaf beyond float32',
      `${trees}[1]: node 3 has a value of Infinity`,
      (file) => {
        secondOf(file).split_conditions[3] = 1e300;
      },
    ],
    [
      'a split on no feature',
      `${trees}[1]: node 2 splits on feature 2 of 2`,
      (file) => {
        secondOf(file).split_indices[2] = 2;
      },
    ],
    [
      'a negative cover',
      `${trees}[1]: node 4 has a cover of -1`,
      (file) => {
        secondOf(file).sum_hessian[4] = -1;
      },
    ],
    [
      'arrays of another length than nodes',
      `${trees}[1].left_children: has 4 numbers, needs 5`,
      (file) => void secondOf(file).left_children.pop(),
    ],
  ];
  test.each(refused)('refuses %s', (_, message, change) => {
    expect(refusalOf(() => read(change))).toContain(message);
  });

  test('refuses a tree deeper than its bound', () => {
    const splits = 65;
    const tree = {
      ...makeTree(),
      left_children: Array.from({ length: 2 * splits + 1 }, (_, node) =>
        node % 2 === 0 && node < 2 * splits ? node + 1 : -1,
      ),
    };
    const nodes = tree.left_children.length;
    const filled = (value: number) => Array.from({ length: nodes }, () => value);
    tree.right_children = tree.left_children.map((child) => (child < 0 ? -1 : child + 1));
    tree.parents = Array.from({ length: nodes }, (_, node) =>
      node === 0 ? 2147483647 : node % 2 === 1 ? node - 1 : node - 2,
    );
    tree.split_conditions = filled(1);
    tree.split_indices = filled(0);
    tree.split_type = filled(0);
    tree.default_left = filled(0);
    tree.sum_hessian = filled(1);
    tree.loss_changes = filled(1);
    tree.tree_param.num_nodes = String(nodes);
    const message = refusalOf(() =>
      read((file) => {
        file.learner.gradient_booster.model.trees = [makeTree(), tree];
      }),
    );
    expect(message).toBe(`${trees}[1]: is deeper than 64`);
  });

  test('refuses more features than its bound', () => {
    const names = Array.from({ length: MODEL_FEATURES_MAX + 1 }, (_, index) => `f${index}`);
    const message = refusalOf(() =>
      read((file) => {
        file.learner.feature_names = names;
        file.learner.learner_model_param.num_feature = String(names.length);
      }),
    );
    expect(message).toBe('learner.feature_names: 1001 features, at most 1000');
  });

  test('refuses every truncation of a file', () => {
    const text = JSON.stringify(makeFile());
    for (let length = 0; length < text.length; length += 7) {
      expect(refusalOf(() => parseJson(text.slice(0, length)))).toContain('file: not JSON');
    }
  });

  test.each(['[]', '3', 'null', '{}', '{"version":[1,7,4]}', '{"version":[1,7,4],"learner":[]}'])(
    'refuses %s',
    (text) => {
      expect(refusalOf(() => readXgboost(parseJson(text)))).toMatch(/is required|must be an/);
    },
  );
});
