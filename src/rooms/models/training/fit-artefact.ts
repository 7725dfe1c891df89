/** Trains a model of either kind and writes it in its format. */

import { logistic, softPlus } from '../../../kit/elementary-functions.ts';
import type { Random } from '../../../kit/random.ts';
import type { TreeEnsemble } from '../model/lay-out-trees.ts';
import { type LogisticModel, standardise, writeLogistic } from '../model/logistic.ts';
import { loadModel, type Model } from '../model/model.ts';
import { writeXgboost } from '../model/write-xgboost.ts';
import { minimise, solveCholesky } from './newton.ts';
import type { FitStep, LogisticOptions, TreeOptions } from './options.ts';
import type { TrainingSet } from './rows.ts';
import { growTrees } from './train-trees.ts';

export type Trainer =
  | { readonly kind: 'trees'; readonly options: TreeOptions }
  | { readonly kind: 'logistic'; readonly options: LogisticOptions };

/** A feature and the share of the model's weight that it has; shares add up to 1. */
export type Importance = { readonly name: string; readonly share: number };

/** @param validation ends the growth of trees early; null trains all rounds */
export function* fitArtefact(
  training: TrainingSet,
  validation: TrainingSet | null,
  trainer: Trainer,
  random: Random,
): Generator<FitStep, Artefact> {
  switch (trainer.kind) {
    case 'trees': {
      const ensemble = yield* growTrees(training, validation, trainer.options, random);
      return readBack(writeXgboost(ensemble), treeImportance(ensemble), ensemble.roots.length);
    }
    case 'logistic': {
      const model = yield* fitLogistic(training, trainer.options);
      const { features } = model;
      // By the absolute weight on the standardised value.
      const weights = features.map(({ name, weight }) => ({ name, weight: Math.abs(weight) }));
      return readBack(writeLogistic(model), shareOut(weights), features.length);
    }
  }
}

export type Artefact = ReturnType<typeof readBack>;

/** @param importance greatest first */
function readBack(text: string, importance: readonly Importance[], size: number) {
  const bytes = new TextEncoder().encode(text);
  // The judged model is the written one.
  return { bytes, model: loadModel(bytes), importance, size };
}

/** By gain: the reduction of the training loss by all splits on a feature. */
function treeImportance({ featureNames, feature, gain }: TreeEnsemble): Importance[] {
  const gains = new Float64Array(featureNames.length);
  for (const [node, of] of feature.entries()) {
    if (of >= 0) gains[of] = (gains[of] ?? 0) + (gain[node] ?? 0);
  }
  return shareOut(featureNames.map((name, index) => ({ name, weight: gains[index] ?? 0 })));
}

function shareOut(weights: readonly { name: string; weight: number }[]): Importance[] {
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  return weights
    .map(({ name, weight }) => ({ name, share: total > 0 ? weight / total : 0 }))
    .sort((a, b) => b.share - a.share);
}

/** Rows of one batch: 60 features of them are 4 MiB. */
const ROWS_A_BATCH = 8192;

/** Margins of all rows, one batch after the other. */
export function marginsOf(model: Model, { columns, labels }: TrainingSet): Float64Array {
  const margins = new Float64Array(labels.length);
  for (let from = 0; from < labels.length; from += ROWS_A_BATCH) {
    const rows = Math.min(ROWS_A_BATCH, labels.length - from);
    const values = new Float64Array(rows * columns.length);
    for (const [feature, column] of columns.entries()) {
      let at = feature;
      for (let row = from; row < from + rows; row++) {
        values[at] = column[row] as number;
        at += columns.length;
      }
    }
    margins.set(model.marginOf({ rows, values }), from);
  }
  return margins;
}

/**
 * Logistic regression by Newton's method on standardised inputs, with an L2 penalty. A missing value has a weight of its own
 * instead of an imputed value; the rows alone determine the result, as there are no random numbers.
 */
export function* fitLogistic(
  training: TrainingSet,
  options: LogisticOptions,
): Generator<FitStep, LogisticModel> {
  const features = training.columns.map(describeColumn);
  const problem: Problem = { training, features, options };
  const loss = {
    at: (weights: Float64Array) => lossOf(problem, weights),
    stepAt: (weights: Float64Array) => newtonStep(problem, weights),
  };
  const weights = yield* minimise(loss, new Float64Array(1 + 2 * features.length));
  return {
    intercept: weights[0] ?? 0,
    features: features.map((feature, index) => ({
      name: training.featureNames[index] ?? '',
      ...feature,
      weight: weights[1 + 2 * index] ?? 0,
      missing_weight: weights[2 + 2 * index] ?? 0,
    })),
  };
}

type ColumnFacts = { readonly mean: number; readonly deviation: number };

/** Layout of the weights: intercept, then weight and missing weight of each feature. */
type Problem = {
  readonly training: TrainingSet;
  readonly features: readonly ColumnFacts[];
  readonly options: LogisticOptions;
};

/** Mean and deviation of the present values; 0 and 1 where there is no variation. */
function describeColumn(column: Float32Array): ColumnFacts {
  const present = column.filter(Number.isFinite);
  const count = present.length;
  let sum = 0;
  for (const value of present) sum += value;
  const mean = count === 0 ? 0 : sum / count;
  let squares = 0;
  for (const value of present) squares += (value - mean) ** 2;
  const deviation = count === 0 ? 0 : Math.sqrt(squares / count);
  return { mean, deviation: deviation > 0 ? deviation : 1 };
}

/** Calls with each row's terms (1, and for each feature its standard value and 0, or 0 and 1 if missing), margin and label. */
function forEachRow(
  { training, features }: Problem,
  weights: Float64Array,
  onRow: (terms: Float64Array, margin: number, isFraud: boolean) => void,
): void {
  const terms = new Float64Array(weights.length);
  terms[0] = 1;
  for (let row = 0; row < training.labels.length; row++) {
    for (const [index, { mean, deviation }] of features.entries()) {
      const value = standardise(training.columns[index]?.[row] ?? Number.NaN, mean, deviation);
      const isMissing = Number.isNaN(value);
      terms[1 + 2 * index] = isMissing ? 0 : value;
      terms[2 + 2 * index] = isMissing ? 1 : 0;
    }
    let margin = 0;
    for (let term = 0; term < terms.length; term++) {
      margin += (terms[term] as number) * (weights[term] as number);
    }
    onRow(terms, margin, training.labels[row] === 1);
  }
}

/** Penalised sum of the loss: ln(1 + e^-m), m being the margin in the direction of the label. */
function lossOf(problem: Problem, weights: Float64Array): number {
  const { l2, fraudWeight } = problem.options;
  let loss = 0;
  forEachRow(problem, weights, (_, margin, isFraud) => {
    loss += isFraud ? fraudWeight * softPlus(-margin) : softPlus(margin);
  });
  for (let term = 1; term < weights.length; term++) loss += (l2 / 2) * (weights[term] ?? 0) ** 2;
  return loss;
}

function newtonStep(problem: Problem, weights: Float64Array): Float64Array {
  const { l2, fraudWeight } = problem.options;
  const size = weights.length;
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  forEachRow(problem, weights, (terms, margin, isFraud) => {
    const weight = isFraud ? fraudWeight : 1;
    const probability = logistic(margin);
    const slope = weight * (probability - (isFraud ? 1 : 0));
    addRow(terms, slope, weight * probability * (1 - probability), gradient, hessian);
  });
  for (let term = 0; term < size; term++) {
    // The intercept is not penalised, but its equation must be solvable at probabilities of 0 or 1.
    const at = term * size + term;
    hessian[at] = (hessian[at] ?? 0) + (term === 0 ? Number.EPSILON : l2);
    if (term > 0) gradient[term] = (gradient[term] ?? 0) + l2 * (weights[term] ?? 0);
  }
  if (!solveCholesky(hessian, gradient)) throw new Error('the loss has no minimum');
  return gradient;
}

/** Adds a row to the gradient and to the lower half of the hessian. */
function addRow(
  terms: Float64Array,
  slope: number,
  curvature: number,
  gradient: Float64Array,
  hessian: Float64Array,
): void {
  const size = terms.length;
  for (let row = 0; row < size; row++) {
    const value = terms[row] as number;
    if (value === 0) continue;
    gradient[row] = (gradient[row] as number) + slope * value;
    const scaled = curvature * value;
    const start = row * size;
    for (let column = 0; column <= row; column++) {
      hessian[start + column] =
        (hessian[start + column] as number) + scaled * (terms[column] as number);
    }
  }
}
