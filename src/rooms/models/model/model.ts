/** A model of any kind as the engine runs it: read from its file; margins, probabilities and contributions of batches. */
import { hash } from 'node:crypto';
import type { ExplanationMethod } from '../../../core/domain/explanation.ts';
import type { Batch } from './batch.ts';
import { checkFeatureNames, checkTreeCount, parseJson, refuse, refuseHuge } from './bounds.ts';
import { type Calibration, calibrate } from './calibration.ts';
import { type Contributions, pathContributions, shapleySteps, treeShap } from './explain-trees.ts';
import { logistic } from './exponential.ts';
import { type LooseTree, layOutTrees, type TreeEnsemble } from './lay-out-trees.ts';
import {
  contributionOf,
  LOGISTIC_FORMAT,
  type LogisticModel,
  predictLogistic,
  readLogistic,
} from './logistic.ts';
import { type ClosedTrees, closeTrees, nextDouble, treePredictor } from './predict-trees.ts';
import { readXgboost } from './read-xgboost.ts';

export type ModelFormat = 'xgboost-json' | 'lightgbm-text' | 'logistic-json';

/** Pure and immutable: the same batch gives the same bits. All results have one item a row. */
export type Model = {
  readonly format: ModelFormat;
  /** SHA-256 of the file, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** The order of a batch's columns. */
  readonly featureNames: readonly string[];
  /** Log-odds of fraud, before calibration; LightGBM calls it raw score. */
  marginOf(batch: Batch): Float64Array;
  /** Probability of a margin: the format's own, or the calibrated one. */
  probabilityOf(margin: number): number;
  /**
   * Contribution of each feature to the margins: exact on request (0.8 ms a row), or by path at every decision
   * (6 µs); both are equal for logistic models.
   * @param margins of the same batch
   */
  contributionsOf(batch: Batch, margins: Float64Array, method: ExplanationMethod): Contributions;
};

type Read = { readonly format: ModelFormat; readonly sha256: string };
/** A file as it was read and checked, in memory that threads share. */
export type ModelFile = Read &
  ({ readonly logistic: LogisticModel } | { readonly trees: ReadTrees });
export type ReadTrees = {
  readonly ensemble: TreeEnsemble;
  readonly closed: ClosedTrees;
  readonly shapleySteps: number;
};

const VERSIONS = ['v2', 'v3', 'v4'];
const CATEGORICAL = 1;
const DEFAULT_LEFT = 2;
const MISSING_TYPE_SHIFT = 2;
/** Missing types in the order of their numbers. */
const MISSING_TYPES = ['none', 'zero', 'nan'] as const;
type MissingType = (typeof MISSING_TYPES)[number];

/** Key-value lines of one part of the file. */
type Section = { readonly path: string; readonly fields: ReadonlyMap<string, string> };

/**
 * Reads a model file, in any of the formats.
 * @param featureNames for an XGBoost file without names
 * @throws Failure `MODEL_INVALID`, naming what is wrong and where
 */
export function readModelFile(bytes: Uint8Array, featureNames?: readonly string[]): ModelFile {
  refuseHuge(bytes.length);
  const sha256 = hash('sha256', bytes, 'hex');
  const text = decode(bytes);
  if (!text.trimStart().startsWith('{')) {
    return { format: 'lightgbm-text', sha256, trees: prepare(readLightgbm(text)) };
  }
  const file = parseJson(text);
  if (typeof file === 'object' && file !== null && 'format' in file) {
    if (file.format === LOGISTIC_FORMAT)
      return { format: 'logistic-json', sha256, logistic: readLogistic(file) };
  }
  return { format: 'xgboost-json', sha256, trees: prepare(readXgboost(file, featureNames)) };
}

const prepare = (ensemble: TreeEnsemble): ReadTrees => ({
  ensemble,
  closed: closeTrees(ensemble),
  shapleySteps: shapleySteps(ensemble),
});

/** The model of a file that was read. */
export const openModel = (file: ModelFile): Model =>
  'trees' in file ? treeModel(file, file.trees) : logisticModel(file, file.logistic);

/** Reads and opens. @throws Failure `MODEL_INVALID` */
export const loadModel = (bytes: Uint8Array, featureNames?: readonly string[]): Model =>
  openModel(readModelFile(bytes, featureNames));

/** The model with calibrated probabilities; null keeps those of its format. */
export function calibrateModel(model: Model, calibration: Calibration | null): Model {
  if (calibration === null) return model;
  return { ...model, probabilityOf: (margin) => calibrate(calibration, margin) };
}

function treeModel({ format, sha256 }: Read, { ensemble, closed }: ReadTrees): Model {
  return {
    format,
    sha256,
    featureNames: ensemble.featureNames,
    marginOf: treePredictor(ensemble, closed),
    probabilityOf: (margin) => logistic(ensemble.marginScale * margin),
    contributionsOf: (batch, margins, method) =>
      method === 'shapley'
        ? treeShap(ensemble, batch, margins)
        : pathContributions(ensemble, batch, margins),
  };
}

function logisticModel({ format, sha256 }: Read, model: LogisticModel): Model {
  const { features, intercept } = model;
  return {
    format,
    sha256,
    featureNames: features.map(({ name }) => name),
    marginOf: (batch) => predictLogistic(model, batch),
    probabilityOf: logistic,
    // In a sum of independent terms each term is its own Shapley value, relative to the training mean.
    contributionsOf: ({ rows, values }) => ({
      base: new Float64Array(rows).fill(intercept),
      values: values.map((value, at) => {
        const feature = features[at % features.length];
        return feature === undefined ? 0 : contributionOf(feature, value);
      }),
    }),
  };
}

/**
 * Index of each of the model's features in the engine's vectors.
 * @throws Failure `MODEL_INVALID` that lists the features the engine does not have
 */
export function bindFeatures(model: Model, vectorNames: readonly string[]): Int32Array {
  const unknown = model.featureNames.filter((name) => !vectorNames.includes(name));
  if (unknown.length > 0) refuse('features', `${unknown.join(', ')} not in the feature schema`);
  return Int32Array.from(model.featureNames, (name) => vectorNames.indexOf(name));
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('file', 'is no text; XGBoost models must be saved as .json, not as .ubj');
  }
}

/**
 * LightGBM's text model (`Booster.save_model`, format v2 to v4): objective binary, numerical splits. It
 * computes in float64 throughout and goes left on "not above", so a threshold here is the next double.
 *
 *     tree                       Tree=0
 *     version=v4                 num_leaves=3
 *     objective=binary sigmoid:1 split_feature=0 1
 *     feature_names=a b          threshold=0.5 1.5          of inner nodes, as the next four
 *     ...                        decision_type=2 8          bit 0 categorical, bit 1 missing goes left,
 *                                                           bits 2-3 missing type: none, zero, NaN
 *                                left_child=1 -1            an inner node, or ~ the number of a leaf
 *                                leaf_value=0.1 -0.2 0.3
 *                                ...
 *                                end of trees
 * @throws Failure `MODEL_INVALID`
 */
export function readLightgbm(text: string): TreeEnsemble {
  const [header, ...sections] = sectionsOf(text);
  if (header === undefined) return refuse('file', 'has no header');
  const version = fieldOf(header, 'version');
  if (!VERSIONS.includes(version)) refuse('version', `${version} is not ${VERSIONS.join(', ')}`);
  checkSingleOutput(header);
  const names = fieldOf(header, 'feature_names').split(' ');
  checkFeatureNames('feature_names', names);
  const features = Number(fieldOf(header, 'max_feature_idx')) + 1;
  if (names.length !== features) {
    refuse('feature_names', `${names.length} names for ${features} features`);
  }
  checkTreeCount('trees', sections.length);
  const sizes = fieldOf(header, 'tree_sizes').split(' ').length;
  if (sizes !== sections.length) refuse('tree_sizes', `${sizes} for ${sections.length} trees`);
  const missingTypes: (MissingType | undefined)[] = names.map(() => undefined);
  const trees = sections.map((section, index) => readTree(section, index, missingTypes));
  const head = {
    arithmetic: 'float64' as const,
    featureNames: names,
    baseScore: 0.5,
    baseMargin: 0,
    marginScale: readSigmoid(fieldOf(header, 'objective')),
    zeroIsMissing: Uint8Array.from(missingTypes, (type) => (type === 'zero' ? 1 : 0)),
  };
  return layOutTrees(head, trees);
}

/** The header and one section a tree. */
function sectionsOf(text: string): Section[] {
  const end = text.search(/^end of trees\s*$/m);
  if (end < 0) refuse('file', 'has no line "end of trees": truncated?');
  const parts = text.slice(0, end).split(/^(?=Tree=)/m);
  if (!/^tree\s*$/m.test(parts[0] ?? '')) refuse('file', 'does not begin with "tree"');
  return parts.map((part, index) => {
    const lines = part.split('\n').map((line) => line.trim());
    const pairs = lines.flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      if (at >= 0) return [[line.slice(0, at), line.slice(at + 1)]];
      // Only this flag without a value changes the meaning of the trees.
      return line === 'average_output' ? [[line, '']] : [];
    });
    return { path: index === 0 ? 'header' : `Tree=${index - 1}`, fields: new Map(pairs) };
  });
}

function checkSingleOutput(header: Section): void {
  for (const name of ['num_class', 'num_tree_per_iteration']) {
    if (fieldOf(header, name) !== '1') refuse(name, 'more than one output');
  }
  if (header.fields.has('average_output')) refuse('average_output', 'is not supported');
}

/** `binary sigmoid:1`: the probability is logistic(sigmoid * margin). */
function readSigmoid(objective: string): number {
  const [name, ...settings] = objective.split(' ');
  if (name !== 'binary') refuse('objective', `${name} is not binary`);
  const setting = settings.find((word) => word.startsWith('sigmoid:'));
  const sigmoid = setting === undefined ? 1 : Number(setting.slice('sigmoid:'.length));
  if (!(sigmoid > 0 && Number.isFinite(sigmoid))) refuse('objective', `sigmoid is ${sigmoid}`);
  return sigmoid;
}

/** @param missingTypes by feature, as far as known; completed here */
function readTree(
  section: Section,
  index: number,
  missingTypes: (MissingType | undefined)[],
): LooseTree {
  const { path, fields } = section;
  if (fieldOf(section, 'Tree') !== String(index)) refuse(path, `is ${fields.get('Tree')}`);
  if (fields.get('is_linear') === '1') refuse(path, 'linear leaves are not supported');
  if (fieldOf(section, 'num_cat') !== '0') refuse(path, 'categorical splits are not supported');
  const leaves = Number(fieldOf(section, 'num_leaves'));
  if (!(Number.isInteger(leaves) && leaves > 0)) refuse(path, `has ${leaves} leaves`);
  const splits = leaves - 1;
  const ofSplits = (name: string) => numbersOf(section, name, splits);
  const ofLeaves = (name: string) => numbersOf(section, name, leaves);
  const decisions = ofSplits('decision_type');
  const feature = ofSplits('split_feature');
  const threshold = ofSplits('threshold').map(nextDouble);
  const missingLeft = decisions.map((decision, node) => {
    if ((decision & CATEGORICAL) !== 0) refuse(path, `node ${node} is categorical`);
    const type = MISSING_TYPES[decision >> MISSING_TYPE_SHIFT];
    if (type === undefined) return refuse(path, `node ${node} has decision_type ${decision}`);
    const of = feature[node] ?? -1;
    if ((missingTypes[of] ?? type) !== type) {
      refuse(path, `node ${node} and an earlier one treat missing values differently`);
    }
    missingTypes[of] = type;
    // Without a missing type NaN is compared as 0.
    const left = type === 'none' ? 0 < (threshold[node] ?? 0) : (decision & DEFAULT_LEFT) !== 0;
    return left ? 1 : 0;
  });
  const nodeOf = (child: number) => (child < 0 ? splits + ~child : child);
  const zeros = new Float64Array(leaves);
  return {
    path,
    left: [...ofSplits('left_child').map(nodeOf), ...zeros.map(() => -1)],
    right: [...ofSplits('right_child').map(nodeOf), ...zeros.map(() => -1)],
    feature: [...feature, ...zeros],
    threshold: [...threshold, ...zeros],
    missingLeft: [...missingLeft, ...zeros],
    value: [...new Float64Array(splits), ...ofLeaves('leaf_value')],
    // A tree of one leaf has no counts; none are needed there.
    cover: splits === 0 ? [1] : [...ofSplits('internal_count'), ...ofLeaves('leaf_count')],
    gain: [...ofSplits('split_gain'), ...zeros],
  };
}

function fieldOf({ path, fields }: Section, name: string): string {
  return fields.get(name) ?? refuse(path, `has no ${name}`);
}

function numbersOf(section: Section, name: string, count: number): number[] {
  if (count === 0) return [];
  const words = fieldOf(section, name).split(' ');
  if (words.length !== count) {
    refuse(section.path, `${name} has ${words.length} numbers, needs ${count}`);
  }
  return words.map((word, index) => {
    const number = word === '' ? Number.NaN : Number(word);
    if (Number.isFinite(number)) return number;
    return refuse(section.path, `${name}[${index}] is no finite number`);
  });
}
