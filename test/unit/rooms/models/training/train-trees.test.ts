/** Goal: training learns an existing pattern, deterministically, and exports the model that it measured. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logistic } from '../../../../../src/kit/elementary-functions.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { treeDepths } from '../../../../../src/rooms/models/model/lay-out-trees.ts';
import { predictTrees } from '../../../../../src/rooms/models/model/predict-trees.ts';
import { readXgboost } from '../../../../../src/rooms/models/model/read-xgboost.ts';
import { writeXgboost } from '../../../../../src/rooms/models/model/write-xgboost.ts';
import {
  averagePrecisionOf,
  logLoss,
  thresholdsOf,
} from '../../../../../src/rooms/models/training/evaluation/ranking.ts';
import {
  TREE_DEFAULTS,
  type TreeOptions,
} from '../../../../../src/rooms/models/training/options.ts';
import { trainTrees } from './train-to-the-end.ts';
import { batchOf, drawTrainingSet } from './training-data.ts';

const training = drawTrainingSet('training', 3000);
const validation = drawTrainingSet('validation', 2000);
const OPTIONS: TreeOptions = { ...TREE_DEFAULTS, rounds: 40, learningRate: 0.2, depthMax: 4 };

const train = (options: Partial<TreeOptions> = {}, seed = '1') =>
  trainTrees(training, null, { ...OPTIONS, ...options }, createRandom(seed)).ensemble;

describe('trainTrees', () => {
  test.each(['average-precision', 'log-loss'] as const)(
    'keeps the trees up to the best %s, which the file gives again to the last bit',
    (metric) => {
      const { ensemble, metrics } = trainTrees(
        training,
        validation,
        { ...OPTIONS, metric, rounds: 300, patienceRounds: 10 },
        createRandom('1'),
      );
      const best = Math.max(...metrics);
      expect(ensemble.roots).toHaveLength(metrics.indexOf(best) + 1);
      expect(metrics).toHaveLength(ensemble.roots.length + 10);
      const margins = predictTrees(
        readXgboost(JSON.parse(writeXgboost(ensemble))),
        batchOf(validation),
      );
      const { labels } = validation;
      const again =
        metric === 'log-loss'
          ? -logLoss(margins.map(logistic), labels)
          : averagePrecisionOf(thresholdsOf({ scores: margins, labels }));
      expect(again).toBe(best);
    },
  );

  test('stays within its bounds', () => {
    const ensemble = train({ depthMax: 3, leavesMax: 5 });
    const nodes = ensemble.feature.length / ensemble.roots.length;
    expect(Math.max(...treeDepths(ensemble))).toBe(3);
    expect(nodes).toBeLessThanOrEqual(9);
    const least = Math.min(...ensemble.cover);
    expect(least).toBeGreaterThanOrEqual(OPTIONS.childWeightMin);
    expect(Math.max(...treeDepths(train({ gainMin: 1e9 })))).toBe(0);
  });

  test('a monotone feature never moves the margin the other way', () => {
    const number = fc.double({ min: -3, max: 9, noNaN: true });
    const directions = fc.constantFrom(1 as const, -1 as const);
    const models = new Map(
      [1 as const, -1 as const].map((direction) => [
        direction,
        train({ monotone: { b: direction } }),
      ]),
    );
    fc.assert(
      fc.property(directions, number, number, number, number, (direction, a, c, one, other) => {
        const ensemble = models.get(direction);
        if (ensemble === undefined) throw new Error('no model');
        const values = Float64Array.of(a, Math.min(one, other), c, a, Math.max(one, other), c);
        const [low = 0, high = 0] = predictTrees(ensemble, { rows: 2, values });
        expect((high - low) * direction).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
