/** A model of any kind as the engine runs it: margins, probabilities and contributions of batches. */

import type { ExplanationMethod } from '../../../core/domain/explanation.ts';
import type { Batch } from './batch.ts';
import { calibrate } from './evaluation/calibration.ts';
import type { Calibration } from './evaluation/calibration-json.ts';
import type { Contributions } from './explanation/contributions.ts';
import { pathContributions } from './explanation/path-contributions.ts';
import { treeShap } from './explanation/tree-shap.ts';
import { logistic } from './exponential.ts';
import { contributionOf, type LogisticModel, predictLogistic } from './logistic-model.ts';
import { treePredictor } from './trees/predict-trees.ts';
import type { TreeEnsemble } from './trees/tree-ensemble.ts';

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

/** The model with calibrated probabilities; null keeps those of its format. */
export function calibrateModel(model: Model, calibration: Calibration | null): Model {
  if (calibration === null) return model;
  return { ...model, probabilityOf: (margin) => calibrate(calibration, margin) };
}

export function treeModel(
  ensemble: TreeEnsemble,
  format: 'xgboost-json' | 'lightgbm-text',
  sha256: string,
): Model {
  return {
    format,
    sha256,
    featureNames: ensemble.featureNames,
    marginOf: treePredictor(ensemble),
    probabilityOf: (margin) => logistic(ensemble.marginScale * margin),
    contributionsOf: (batch, margins, method) =>
      method === 'shapley'
        ? treeShap(ensemble, batch, margins)
        : pathContributions(ensemble, batch, margins),
  };
}

export function logisticModel(model: LogisticModel, sha256: string): Model {
  const { features, intercept } = model;
  return {
    format: 'logistic-json',
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
