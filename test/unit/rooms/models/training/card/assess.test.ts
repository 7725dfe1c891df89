/** Goal: a whole model can be assessed, from training to its card. */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../../../src/kit/random.ts';
import { predictTrees } from '../../../../../../src/rooms/models/model/predict-trees.ts';
import { bandsForBudget } from '../../../../../../src/rooms/models/training/bands.ts';
import { assess } from '../../../../../../src/rooms/models/training/card/assess.ts';
import {
  averagePrecisionOf,
  thresholdsOf,
} from '../../../../../../src/rooms/models/training/evaluation/ranking.ts';
import { TREE_DEFAULTS } from '../../../../../../src/rooms/models/training/options.ts';
import { trainTrees } from '../train-to-the-end.ts';
import { batchOf, drawTrainingSet } from '../training-data.ts';

const ROWS = 1500;
const later = drawTrainingSet('later', ROWS);
const { ensemble } = trainTrees(
  drawTrainingSet('earlier', 3000),
  null,
  { ...TREE_DEFAULTS, rounds: 30, depthMax: 3 },
  createRandom('1'),
);
const margins = predictTrees(ensemble, batchOf(later));
const rows = {
  margins,
  labels: later.labels,
  accounts: Int32Array.from({ length: ROWS }, (_, row) => row % 300),
  days: Int32Array.from({ length: ROWS }, (_, row) => Math.floor(row / 500)),
  segments: { corridor: Array.from({ length: ROWS }, (_, row) => (row % 3 ? 'US-EG' : 'EG-US')) },
};
const budget = { reviews: 100, declines: 50 };
const run = (seed = '1') =>
  assess(rows, (probabilities) => bandsForBudget(probabilities, budget), createRandom(seed));
const assessment = run();

describe('assess', () => {
  test('gives every figure with an interval around it', () => {
    expect(Object.keys(assessment.figures)).toEqual([
      'auc',
      'average_precision',
      'recall_at_1_percent',
      'account_precision_100',
      'log_loss',
    ]);
    for (const { value, low, high } of Object.values(assessment.figures)) {
      expect(low).toBeLessThan(high);
      expect(value).toBeGreaterThan(low);
      expect(value).toBeLessThan(high);
    }
    const ap = averagePrecisionOf(thresholdsOf({ scores: margins, labels: later.labels }));
    expect(assessment.figures['average_precision']?.value).toBe(ap);
  });

  test('the same seed gives the same assessment', () => {
    expect(run()).toEqual(assessment);
    expect(run('2').figures['auc']?.value).toBe(assessment.figures['auc']?.value);
    expect(run('2').figures['auc']?.low).not.toBe(assessment.figures['auc']?.low);
  });
});
