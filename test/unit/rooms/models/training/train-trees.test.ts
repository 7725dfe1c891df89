/** Goal: training stops at the best trees, and exports the model that it measured. golden/trained-trees.test.ts keeps the bits of its splits. */
import { describe, expect, test } from 'vitest';
import { logistic } from '../../../../../src/kit/elementary-functions.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
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
import { predictTrees } from '../model/support.ts';
import { trainTrees } from './train-to-the-end.ts';
import { batchOf, drawTrainingSet } from './training-data.ts';

const training = drawTrainingSet('training', 3000);
const validation = drawTrainingSet('validation', 2000);
const OPTIONS: TreeOptions = { ...TREE_DEFAULTS, rounds: 40, learningRate: 0.2, depthMax: 4 };

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
});
