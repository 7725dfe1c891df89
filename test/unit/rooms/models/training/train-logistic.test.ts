/** Goal: the weights are those that minimise the penalised loss. Method: no small step away lowers it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logistic } from '../../../../../src/rooms/models/model/exponential.ts';
import {
  type LogisticModel,
  predictLogistic,
} from '../../../../../src/rooms/models/model/logistic.ts';
import { logLoss } from '../../../../../src/rooms/models/training/evaluation/ranking.ts';
import { solveCholesky } from '../../../../../src/rooms/models/training/newton.ts';
import {
  checkLogisticOptions,
  LOGISTIC_DEFAULTS,
} from '../../../../../src/rooms/models/training/options.ts';
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

describe('trainLogistic', () => {
  const l2 = 3;
  const model = trainLogistic(training, { ...LOGISTIC_DEFAULTS, l2 });
  const least = penalisedLoss(model, l2);

  test.each([1e-3, -1e-3])('a step of %d in any weight raises the penalised loss', (step) => {
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
  });

  test('the same rows give the same bits', () => {
    expect(trainLogistic(training, { ...LOGISTIC_DEFAULTS, l2 })).toEqual(model);
  });

  test('learns that a raises and b lowers the risk, and what a missing b tells', () => {
    const [a, b, c] = model.features;
    expect(a?.weight).toBeGreaterThan(0.5);
    expect(b?.weight).toBeLessThan(-0.2);
    expect(b?.missing_weight).toBeGreaterThan(0.5);
    expect(c?.missing_weight).toBe(0);
  });

  test('standardises by the values that are there', () => {
    const present = [...(training.columns[1] ?? [])].filter((value) => !Number.isNaN(value));
    const mean = present.reduce((sum, value) => sum + value, 0) / present.length;
    expect(model.features[1]?.mean).toBeCloseTo(mean, 9);
  });

  test('takes columns that tell nothing and rows that can be told apart', () => {
    const { labels } = training;
    const columns = [
      Float32Array.from(labels, (label) => label),
      new Float32Array(labels.length).fill(7),
      new Float32Array(labels.length).fill(Number.NaN),
    ];
    const odd = trainLogistic({ ...training, columns }, LOGISTIC_DEFAULTS);
    const margins = predictLogistic(odd, batchOf({ ...training, columns }));
    expect(margins.every((margin, row) => margin > 0 === (labels[row] === 1))).toBe(true);
    expect(odd.features[1]?.weight).toBe(0);
  });

  test('refuses options without a meaning', () => {
    expect(() => checkLogisticOptions({ l2: 0, fraudWeight: 1 })).toThrow('above 0');
  });
});

test('solveCholesky solves what is positive definite, and says what is not', () => {
  const number = fc.integer({ min: -3, max: 3 });
  fc.assert(
    fc.property(
      fc.array(number, { minLength: 9, maxLength: 9 }),
      fc.array(number, { minLength: 3, maxLength: 3 }),
      (m, x) => {
        // M transposed times M, and 1 on the diagonal.
        const matrix = Float64Array.from({ length: 9 }, (_, at) => {
          const [row, column] = [Math.floor(at / 3), at % 3];
          const products = [0, 1, 2].map((k) => (m[k * 3 + row] ?? 0) * (m[k * 3 + column] ?? 0));
          return products.reduce((sum, product) => sum + product, row === column ? 1 : 0);
        });
        const vector = Float64Array.from({ length: 3 }, (_, row) =>
          x.reduce((sum, value, column) => sum + (matrix[row * 3 + column] ?? 0) * value, 0),
        );
        expect(solveCholesky(matrix, vector)).toBe(true);
        for (const [at, value] of x.entries()) expect(vector[at]).toBeCloseTo(value, 9);
      },
    ),
  );
  expect(solveCholesky(Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1))).toBe(false);
});
