/**
 * XGBoost's JSON model, as versions 1.7 to 3.x write it (`Booster.save_model('….json')`): booster gbtree,
 * objective binary:logistic or reg:logistic, numerical splits. Everything else that the format can hold is
 * refused, so that no model is run with another meaning. All trees are run, as Booster.predict does, whatever
 * the attribute best_iteration says.
 */
import { naturalLog } from '../../../../core/score/natural-log.ts';
import { checkFeatureNames, checkTreeCount, refuse, refuseHuge } from '../refusal.ts';
import { type LooseTree, layOutTrees } from '../trees/lay-out-trees.ts';
import type { TreeEnsemble } from '../trees/tree-ensemble.ts';
import {
  countOf,
  fieldOf,
  itemsOf,
  type JsonPlace,
  numberOf,
  numbersOf,
  optionalFieldOf,
  parseJson,
  textOf,
  textsOf,
} from './json-place.ts';

const OBJECTIVES = ['binary:logistic', 'reg:logistic'];
const MAJOR_MAX = 3;
/** The first 1.x whose files are read. */
const MINOR_MIN = 7;

/**
 * @param featureNames for a file without names; a file with names must have the same ones
 * @throws Failure `MODEL_INVALID`
 */
export function readXgboost(text: string, featureNames?: readonly string[]): TreeEnsemble {
  refuseHuge(text.length);
  const file = parseJson(text);
  checkVersion(fieldOf(file, 'version'));
  const learner = fieldOf(file, 'learner');
  const objective = fieldOf(fieldOf(learner, 'objective'), 'name');
  if (!OBJECTIVES.includes(textOf(objective))) {
    refuse(objective.path, `${textOf(objective)} is not one of ${OBJECTIVES.join(', ')}`);
  }
  const parameters = fieldOf(learner, 'learner_model_param');
  checkSingleOutput(parameters);
  const names = readNames(learner, countOf(fieldOf(parameters, 'num_feature')), featureNames);
  const baseScore = readBaseScore(fieldOf(parameters, 'base_score'));
  const head = {
    arithmetic: 'float32' as const,
    featureNames: names,
    baseScore,
    baseMargin: marginOfBaseScore(baseScore),
    marginScale: 1,
    zeroIsMissing: new Uint8Array(names.length),
  };
  return layOutTrees(head, readTrees(fieldOf(learner, 'gradient_booster'), names.length));
}

/**
 * The log-odds of a base score in float32 steps, as XGBoost takes them (-logf(1 / p - 1)). Here the
 * logarithm is rounded correctly; the C library's differs from that in the last bit for one base score
 * in 200, never for 0.5.
 */
export function marginOfBaseScore(baseScore: number): number {
  const odds = Math.fround(Math.fround(1 / baseScore) - 1);
  return Math.fround(-naturalLog(odds));
}

function checkVersion(version: JsonPlace): void {
  const [major = 0, minor = 0] = numbersOf(version, 3);
  const known = major > 1 ? major <= MAJOR_MAX : major === 1 && minor >= MINOR_MIN;
  if (!known)
    refuse(version.path, `${major}.${minor} is not within 1.${MINOR_MIN} to ${MAJOR_MAX}.x`);
}

function checkSingleOutput(parameters: JsonPlace): void {
  for (const name of ['num_class', 'num_target']) {
    const place = optionalFieldOf(parameters, name);
    if (place !== undefined && countOf(place) > 1) refuse(place.path, 'more than one output');
  }
}

function readNames(
  learner: JsonPlace,
  features: number,
  given: readonly string[] | undefined,
): readonly string[] {
  const place = fieldOf(learner, 'feature_names');
  const own = textsOf(place);
  const names = own.length > 0 ? own : given;
  if (names === undefined) return refuse(place.path, 'is empty, and no names were given');
  if (names.length !== features) {
    refuse(place.path, `${names.length} names for ${features} features`);
  }
  checkFeatureNames(place.path, names);
  const at = given?.findIndex((name, index) => name !== names[index]) ?? -1;
  if (at >= 0 || (given !== undefined && given.length !== names.length)) {
    refuse(`${place.path}[${Math.max(at, 0)}]`, 'differs from the names given');
  }
  const types = optionalFieldOf(learner, 'feature_types');
  const category = types === undefined ? -1 : textsOf(types).indexOf('c');
  if (category >= 0)
    refuse(`${types?.path}[${category}]`, 'categorical features are not supported');
  return names;
}

/** A number, its text, or (from 3.1) the text of an array with one number. */
function readBaseScore(place: JsonPlace): number {
  const { value, path } = place;
  const text = typeof value === 'string' ? value.trim().replace(/^\[(.*)\]$/, '$1') : undefined;
  const number = text === undefined || text === '' ? value : Number(text);
  const score = Math.fround(numberOf({ value: number, path }));
  if (!(score > 0 && score < 1)) refuse(path, `${score} is no probability between 0 and 1`);
  return score;
}

function readTrees(booster: JsonPlace, features: number): LooseTree[] {
  const name = fieldOf(booster, 'name');
  if (textOf(name) !== 'gbtree') refuse(name.path, `booster ${textOf(name)} is not gbtree`);
  const model = fieldOf(booster, 'model');
  const parameters = fieldOf(model, 'gbtree_model_param');
  const list = fieldOf(model, 'trees');
  const count = countOf(fieldOf(parameters, 'num_trees'));
  checkTreeCount(list.path, count);
  const groups = fieldOf(model, 'tree_info');
  if (numbersOf(groups, count).some((group) => group !== 0)) {
    refuse(groups.path, 'more than one output');
  }
  return itemsOf(list, count).map((value, index) =>
    readTree({ value, path: `${list.path}[${index}]` }, features),
  );
}

function readTree(tree: JsonPlace, features: number): LooseTree {
  const parameters = fieldOf(tree, 'tree_param');
  const nodes = countOf(fieldOf(parameters, 'num_nodes'));
  const leafSize = optionalFieldOf(parameters, 'size_leaf_vector');
  if (leafSize !== undefined && countOf(leafSize) > 1) refuse(leafSize.path, 'leaves are vectors');
  const treeFeatures = fieldOf(parameters, 'num_feature');
  if (countOf(treeFeatures) !== features) {
    refuse(treeFeatures.path, `${countOf(treeFeatures)}, the model has ${features}`);
  }
  const categories = optionalFieldOf(tree, 'categories');
  const types = optionalFieldOf(tree, 'split_type');
  const categorical =
    (categories !== undefined && itemsOf(categories).length > 0) ||
    (types !== undefined && numbersOf(types, nodes).some((type) => type !== 0));
  if (categorical) refuse(tree.path, 'categorical splits are not supported');
  const read = (name: string) => numbersOf(fieldOf(tree, name), nodes);
  const conditions = Float64Array.from(read('split_conditions'), Math.fround);
  const loose: LooseTree = {
    place: tree.path,
    left: read('left_children'),
    right: read('right_children'),
    feature: read('split_indices'),
    threshold: conditions,
    missingLeft: read('default_left'),
    value: conditions,
    cover: read('sum_hessian'),
    gain: read('loss_changes'),
  };
  checkParents(loose, fieldOf(tree, 'parents'), nodes);
  return loose;
}

/** The file has every edge twice; a file that contradicts itself is damaged. */
function checkParents({ left, right }: LooseTree, place: JsonPlace, nodes: number): void {
  const parents = numbersOf(place, nodes);
  for (let node = 0; node < nodes; node++) {
    for (const child of [left[node] ?? -1, right[node] ?? -1]) {
      // The root has no parent, and other indexes are checked when the tree is walked.
      const named = child > 0 ? parents[child] : undefined;
      if (named !== undefined && named !== node) {
        refuse(`${place.path}[${child}]`, `is ${named}, but node ${node} leads here`);
      }
    }
  }
}
