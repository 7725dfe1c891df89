/** Trains a model of either kind and writes it in its format. */
import { writeLogistic } from '../model/formats/logistic-json.ts';
import { writeXgboost } from '../model/formats/write-xgboost.ts';
import { loadModel } from '../model/load-model.ts';
import type { Model } from '../model/model.ts';
import type { Random } from '../model/random.ts';
import { type Importance, logisticImportance, treeImportance } from './card/importance.ts';
import { fitLogistic, type LogisticOptions } from './train-logistic.ts';
import { growTrees } from './train-trees.ts';
import type { TrainingSet } from './training-set.ts';
import type { TreeOptions } from './tree-options.ts';

export type Trainer =
  | { readonly kind: 'trees'; readonly options: TreeOptions }
  | { readonly kind: 'logistic'; readonly options: LogisticOptions };

/** One step of training: a round of trees, or a Newton step. */
export type FitStep = {
  readonly step: number;
  /** Most steps; null where that is not known. */
  readonly stepsMax: number | null;
  readonly metric: number | null;
};

export type Artefact = {
  readonly bytes: Uint8Array;
  /** Read back from the bytes, so that the judged model is the written one. */
  readonly model: Model;
  readonly importance: readonly Importance[];
  /** Trees, or weights. */
  readonly size: number;
};

/** @param validation ends the growth of trees early; null trains all rounds */
export function* fitArtefact(
  training: TrainingSet,
  validation: TrainingSet | null,
  trainer: Trainer,
  random: Random,
): Generator<FitStep, Artefact> {
  switch (trainer.kind) {
    case 'trees': {
      const ensemble = yield* growing(training, validation, trainer.options, random);
      const importance = treeImportance(ensemble);
      return readBack(writeXgboost(ensemble), importance, ensemble.roots.length);
    }
    case 'logistic': {
      const model = yield* fitting(training, trainer.options);
      return readBack(writeLogistic(model), logisticImportance(model), model.features.length);
    }
  }
}

function* growing(...input: Parameters<typeof growTrees>) {
  const [, , { rounds }] = input;
  const grower = growTrees(...input);
  for (;;) {
    const next = grower.next();
    if (next.done === true) return next.value.ensemble;
    yield { step: next.value.round, stepsMax: rounds, metric: next.value.metric };
  }
}

function* fitting(...input: Parameters<typeof fitLogistic>) {
  const steps = fitLogistic(...input);
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next.value;
    yield { step: next.value, stepsMax: null, metric: null };
  }
}

function readBack(text: string, importance: readonly Importance[], size: number): Artefact {
  const bytes = new TextEncoder().encode(text);
  return { bytes, model: loadModel(bytes), importance, size };
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
