/**
 * Goal: the same data and seed train the same model on every machine, and XGBoost runs it as we do.
 * Method: a model trained once, kept with the margins it gave; xgboost-loads-trained.py has the library
 * itself load it and compares the margins' bits. A failure here means that models can no longer be
 * trained again; renew the file only together with a line in the CHANGELOG.
 */
import { expect, test } from 'vitest';
import { predictTrees } from '../unit/rooms/models/model/support.ts';
import { writeXgboost } from '../../src/rooms/models/model/write-xgboost.ts';
import { trainTrees } from '../unit/rooms/models/training/train-to-the-end.ts';
import type { TreeOptions } from '../../src/rooms/models/training/options.ts';
import { createRandom } from '../../src/kit/random.ts';
import { batchOf, drawTrainingSet } from '../unit/rooms/models/training/training-data.ts';

const ROWS_KEPT = 200;
/** All of them, so that other defaults change nothing here. */
const OPTIONS: TreeOptions = {
  rounds: 12,
  learningRate: 0.3,
  depthMax: 4,
  leavesMax: 12,
  binsMax: 64,
  childWeightMin: 1,
  l2: 1,
  gainMin: 0.01,
  rowShare: 0.7,
  featureShare: 0.7,
  fraudWeight: 2,
  monotone: { a: 1 },
  patienceRounds: 1,
  metric: 'log-loss',
};

test('a model trained again is the same to the last bit', async () => {
  const training = drawTrainingSet('golden', 2000);
  const { ensemble } = trainTrees(training, null, OPTIONS, createRandom('golden'));
  const { values } = batchOf(training);
  const features = training.featureNames.length;
  const batch = { rows: ROWS_KEPT, values: values.subarray(0, ROWS_KEPT * features) };
  const margins = Float32Array.from(predictTrees(ensemble, batch));
  const golden = {
    model: writeXgboost(ensemble),
    rows: Array.from({ length: ROWS_KEPT }, (_, row) =>
      Array.from(batch.values.subarray(row * features, (row + 1) * features), (value) =>
        Number.isNaN(value) ? null : value,
      ),
    ),
    margin_bits: [...new Uint32Array(margins.buffer)],
  };
  await expect(`${JSON.stringify(golden)}\n`).toMatchFileSnapshot('./trained-trees.json');
});
