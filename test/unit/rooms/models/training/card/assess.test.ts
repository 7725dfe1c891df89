/** Goal: a whole model can be assessed, from training to its card. */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../../../src/kit/random.ts';
import { calibrate } from '../../../../../../src/rooms/models/model/calibration.ts';
import { predictTrees } from '../../../../../../src/rooms/models/model/predict-trees.ts';
import { bandsForBudget } from '../../../../../../src/rooms/models/training/bands.ts';
import { assess } from '../../../../../../src/rooms/models/training/card/assess.ts';
import {
  averagePrecisionOf,
  logLoss,
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

  test('calibrates better than the format does', () => {
    const { calibration, figures } = assessment;
    if (calibration === null) throw new Error('no calibration');
    // Treats all margins as log-odds; only half of them are.
    const halved = margins.map((margin) => 1 / (1 + Math.exp(-margin / 2)));
    expect(figures['log_loss']?.value).toBeLessThan(logLoss(halved, later.labels));
    const sum = margins.reduce((total, margin) => total + calibrate(calibration, margin), 0);
    const frauds = later.labels.reduce((total, label) => total + label, 0);
    expect(Math.abs(sum - frauds)).toBeLessThan(0.05 * frauds);
  });

  test('keeps to the budget, by segment too', () => {
    const { bands, segments } = assessment;
    expect(bands?.reviewFrom).toBeLessThan(bands?.declineFrom ?? 0);
    const flagged = segments['corridor']?.reduce((sum, of) => sum + of.flagged * of.rows, 0) ?? 0;
    expect(flagged).toBeGreaterThan(0);
    expect(Math.round(flagged)).toBeLessThanOrEqual(budget.reviews + budget.declines);
  });

  test('the same seed gives the same assessment', () => {
    expect(run()).toEqual(assessment);
    expect(run('2').figures['auc']?.value).toBe(assessment.figures['auc']?.value);
    expect(run('2').figures['auc']?.low).not.toBe(assessment.figures['auc']?.low);
  });
});
