/** Goal: the weights are those that minimise the penalised loss. Method: no small step away lowers it. */
import { expect, test } from 'vitest';
import { logistic } from '../../../../../src/kit/elementary-functions.ts';
import {
  type LogisticModel,
  predictLogistic,
} from '../../../../../src/rooms/models/model/logistic.ts';
import { logLoss } from '../../../../../src/rooms/models/training/evaluation/ranking.ts';
import { LOGISTIC_DEFAULTS } from '../../../../../src/rooms/models/training/options.ts';
import { trainLogistic } from './train-to-the-end.ts';
import { batchOf, drawTrainingSet } from './training-data.ts';

const training = drawTrainingSet('logistic', 1500);
const batch = batchOf(training);

function penalisedLoss(model: LogisticModel, l2: number): number {
  const probabilities = predictLogistic(model, batch).map(logistic);
  const squares = model.features.reduce(
    (sum, { weight, missing_weight }) => sum + weight ** 2 + missing_weight ** 2,
    0,
  );
  return logLoss(probabilities, training.labels) * training.labels.length + (l2 / 2) * squares;
}

const l2 = 3;
const model = trainLogistic(training, { ...LOGISTIC_DEFAULTS, l2 });
const least = penalisedLoss(model, l2);

test.each([1e-3, -1e-3])(
  'trainLogistic: a step of %d in any weight raises the penalised loss',
  (step) => {
    const moved = [
      { ...model, intercept: model.intercept + step },
      ...model.features.flatMap((feature, index) => [
        {
          ...model,
          features: model.features.with(index, { ...feature, weight: feature.weight + step }),
        },
        {
          ...model,
          features: model.features.with(index, {
            ...feature,
            missing_weight: feature.missing_weight + step,
          }),
        },
      ]),
    ];
    for (const other of moved) expect(penalisedLoss(other, l2)).toBeGreaterThan(least);
  },
);
