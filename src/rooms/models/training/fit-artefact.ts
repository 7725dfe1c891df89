/** Trains a model of either kind and writes it in its format. */
import type { Random } from '../../../kit/random.ts';
import { type LogisticModel, writeLogistic } from '../model/logistic.ts';
import { loadModel, type Model } from '../model/model.ts';
import type { TreeEnsemble } from '../model/tree-ensemble.ts';
import { writeXgboost } from '../model/write-xgboost.ts';
import type { FitStep, LogisticOptions, TreeOptions } from './options.ts';
import type { TrainingSet } from './rows.ts';
import { fitLogistic } from './train-logistic.ts';
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
      return readBack(writeLogistic(model), logisticImportance(model), model.features.length);
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
export function treeImportance({ featureNames, feature, gain }: TreeEnsemble): Importance[] {
  const gains = new Float64Array(featureNames.length);
  for (const [node, of] of feature.entries()) {
    if (of >= 0) gains[of] = (gains[of] ?? 0) + (gain[node] ?? 0);
  }
  return shareOut(featureNames.map((name, index) => ({ name, weight: gains[index] ?? 0 })));
}

/** By the absolute weight on the standardised value. */
export function logisticImportance({ features }: LogisticModel): Importance[] {
  return shareOut(features.map(({ name, weight }) => ({ name, weight: Math.abs(weight) })));
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
