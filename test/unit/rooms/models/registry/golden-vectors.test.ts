/** Goal: a model that gives one bit less than it should, once, is found. */
import { expect, test } from 'vitest';
import { createRandom } from '../../../../../src/kit/random.ts';
import { loadModel } from '../../../../../src/rooms/models/model/model.ts';
import { nextDouble } from '../../../../../src/rooms/models/model/predict-trees.ts';
import {
  checkGoldenVectors,
  recordGoldenVectors,
} from '../../../../../src/rooms/models/registry/check-model.ts';
import { refusalOf } from '../model/support.ts';
import { makeFile } from '../model/xgboost-file.ts';

const ROWS = 60;
const model = loadModel(new TextEncoder().encode(JSON.stringify(makeFile())));
const golden = recordGoldenVectors(model, ROWS, createRandom('golden'));

/** The model, with one margin of one run changed by a bit. */
function wrongOnce(wrongRun: number, wrongRow: number) {
  let runs = 0;
  return {
    ...model,
    marginOf: (batch: Parameters<typeof model.marginOf>[0]) => {
      const margins = model.marginOf(batch);
      runs += 1;
      if (runs === wrongRun) margins[wrongRow] = nextDouble(margins[wrongRow] ?? 0);
      return margins;
    },
  };
}

test.each([1, 2, 3])('checkGoldenVectors finds one bit in run %i', (run) => {
  expect(refusalOf(() => checkGoldenVectors(wrongOnce(run, 7), golden))).toContain(
    `golden_vectors[7].margin: run ${run} gives`,
  );
});
