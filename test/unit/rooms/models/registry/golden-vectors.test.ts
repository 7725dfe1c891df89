/** Goal: a model that gives one bit less than it should, once, is found. */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../../src/kit/random.ts';
import { loadModel } from '../../../../../src/rooms/models/model/model.ts';
import { nextDouble } from '../../../../../src/rooms/models/model/predict-trees.ts';
import {
  checkGoldenVectors,
  GOLDEN_VECTORS_MAX,
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

describe('recordGoldenVectors', () => {
  test('draws missing, small and large values, the same for a seed', () => {
    const values = golden.flatMap(({ inputs }) => inputs);
    expect(values).toContain(null);
    expect(values).toContain(0);
    expect(values.some((value) => (value ?? 0) > 1000)).toBe(true);
    expect(recordGoldenVectors(model, ROWS, createRandom('golden'))).toEqual(golden);
    expect(new Set(golden.map(({ margin }) => margin)).size).toBeGreaterThan(2);
  });
});

describe('checkGoldenVectors', () => {
  test.each([1, 2, 3])('finds one bit in run %i', (run) => {
    expect(refusalOf(() => checkGoldenVectors(wrongOnce(run, 7), golden))).toContain(
      `golden_vectors[7].margin: run ${run} gives`,
    );
  });

  test('finds a bit of a probability', () => {
    const changed = golden.map((vector, row) =>
      row === 3 ? { ...vector, probability: nextDouble(vector.probability) } : vector,
    );
    expect(refusalOf(() => checkGoldenVectors(model, changed))).toContain(
      'golden_vectors[3].probability: run 1 gives',
    );
  });

  test('wants some, and not too many', () => {
    const none = recordGoldenVectors(model, 0, createRandom('none'));
    const many = recordGoldenVectors(model, GOLDEN_VECTORS_MAX + 1, createRandom('many'));
    expect(refusalOf(() => checkGoldenVectors(model, none))).toContain('0 vectors');
    expect(refusalOf(() => checkGoldenVectors(model, many))).toContain('1001 vectors');
  });
});
