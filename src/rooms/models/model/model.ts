/** A model of any kind as the engine runs it: read from its file; margins, probabilities and contributions of batches. */
import { hash } from 'node:crypto';
import type { ExplanationMethod } from '../../../core/domain/explanation.ts';
import { POLICY_FORMAT, type PolicyValue, policySchema } from '../../../core/domain/policy.ts';
import { SCORECARD_MARGIN } from '../../../core/score/factor-sentence.ts';
import { logistic } from '../../../kit/elementary-functions.ts';
import type { Batch } from './batch.ts';
import { checkShape, parseJson, refuse, refuseHuge } from './bounds.ts';
import { type Calibration, calibrate } from './calibration.ts';
import { type Contributions, pathContributions, shapleySteps, treeShap } from './explain-trees.ts';
import type { TreeEnsemble } from './lay-out-trees.ts';
import {
  contributionOf,
  LOGISTIC_FORMAT,
  type LogisticModel,
  predictLogistic,
  readLogistic,
} from './logistic.ts';
import { type ClosedTrees, closeTrees, treePredictor } from './predict-trees.ts';
import { readLightgbm } from './read-lightgbm.ts';
import { readXgboost } from './read-xgboost.ts';

export type ModelFormat = 'xgboost-json' | 'lightgbm-text' | 'logistic-json' | typeof POLICY_FORMAT;

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
  (
    | { readonly logistic: LogisticModel }
    | { readonly logistic: LogisticModel; readonly policy: PolicyValue }
    | { readonly trees: ReadTrees }
  );
export type ReadTrees = {
  readonly ensemble: TreeEnsemble;
  readonly closed: ClosedTrees;
  readonly shapleySteps: number;
};

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
    if (file.format === POLICY_FORMAT) {
      const policy = checkShape(policySchema, file);
      return { format: POLICY_FORMAT, sha256, logistic: OF_MARGIN, policy };
    }
  }
  return { format: 'xgboost-json', sha256, trees: prepare(readXgboost(file, featureNames)) };
}

/** Model of a policy's artefact: its golden vectors prove how a process turns a margin into a probability. */
const OF_MARGIN: LogisticModel = {
  intercept: 0,
  features: [{ name: SCORECARD_MARGIN, mean: 0, deviation: 1, weight: 1, missing_weight: 0 }],
};

function prepare(ensemble: TreeEnsemble): ReadTrees {
  const scorecard = ensemble.featureNames.indexOf(SCORECARD_MARGIN);
  if (scorecard >= 0 && ensemble.feature.includes(scorecard)) {
    refuse('trees', `no tree may split on ${SCORECARD_MARGIN}, to which trees are added`);
  }
  return { ensemble, closed: closeTrees(ensemble), shapleySteps: shapleySteps(ensemble) };
}

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

/** Trees with the scorecard's margin among their features are added to that margin. A missing margin adds nothing. */
function treeModel({ format, sha256 }: Read, { ensemble, closed }: ReadTrees): Model {
  const ofTrees = treePredictor(ensemble, closed);
  const { length: width } = ensemble.featureNames;
  const scorecard = ensemble.featureNames.indexOf(SCORECARD_MARGIN);
  const withScorecard = (batch: Batch) =>
    ofTrees(batch).map((margin, row) => margin + (batch.values[row * width + scorecard] || 0));
  return {
    format,
    sha256,
    featureNames: ensemble.featureNames,
    marginOf: scorecard < 0 ? ofTrees : withScorecard,
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
 * Index of each of the model's features in the engine's vectors; -1 for the margin of the scorecard, which is in none.
 * @throws Failure `MODEL_INVALID` that lists the features the engine does not have
 */
export function bindFeatures(model: Model, vectorNames: readonly string[]): Int32Array {
  const unknown = model.featureNames.filter(
    (name) => name !== SCORECARD_MARGIN && !vectorNames.includes(name),
  );
  if (unknown.length > 0) refuse('features', `${unknown.join(', ')} not in the feature schema`);
  return Int32Array.from(model.featureNames, (name) => vectorNames.indexOf(name));
}

function decode(bytes: Uint8Array): string {
  const why = 'is no text; XGBoost models must be saved as .json, not as .ubj';
  // In UBJSON the type of a length follows the brace: the bytes of a small file may be UTF-8 as well.
  if (/^\{[iUIlL]/.test(Buffer.from(bytes.subarray(0, 2)).toString('latin1'))) refuse('file', why);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('file', why);
  }
}
