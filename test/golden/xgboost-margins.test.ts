/**
 * Goal: an XGBoost file gives here what it gives in XGBoost. Method: models and margins made by
 * xgboost-margins.py with the library itself; margins are compared by their bits.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { predictTrees } from '../unit/rooms/models/model/support.ts';
import { treeShap } from '../../src/rooms/models/model/explain-trees.ts';
import { logistic } from '../../src/kit/elementary-functions.ts';
import { readXgboost } from '../../src/rooms/models/model/read-xgboost.ts';
import { writeXgboost } from '../../src/rooms/models/model/write-xgboost.ts';

type Golden = {
  features: string[];
  /** Null is missing. */
  rows: (number | null)[][];
  cases: {
    name: string;
    model: string;
    margin_bits: number[];
    /** Only the first case has probabilities, because each case binds the margins to those of the library. */
    probabilities?: number[];
    /** Shapley values of the first rows, the base last. */
    contributions: number[][];
  }[];
};

const golden: Golden = JSON.parse(
  readFileSync(new URL('./xgboost-margins.json', import.meta.url), 'utf8'),
);
const batch = {
  rows: golden.rows.length,
  values: Float64Array.from(golden.rows.flat(), (value) => value ?? Number.NaN),
};

function bitsOf(margins: Float64Array): number[] {
  return [...new Uint32Array(Float32Array.from(margins).buffer)];
}

describe.each(golden.cases)('$name', ({ model, margin_bits, contributions }) => {
  const ensemble = readXgboost(JSON.parse(model));

  test('has the features of the file', () => {
    expect(ensemble.featureNames).toEqual(golden.features);
  });

  test('gives the margins of the library, bit for bit', () => {
    const margins = predictTrees(ensemble, batch);
    expect(margins.every((margin) => Object.is(Math.fround(margin), margin))).toBe(true);
    expect(bitsOf(margins)).toEqual(margin_bits);
  });

  test('gives its Shapley values up to what float32 rounds away', () => {
    const { base, values } = treeShap(ensemble, batch, predictTrees(ensemble, batch));
    const features = golden.features.length;
    for (const [row, theirs] of contributions.entries()) {
      const ours = [...values.subarray(row * features, (row + 1) * features), base[row] ?? 0];
      for (const [index, value] of theirs.entries()) expect(ours[index]).toBeCloseTo(value, 5);
    }
  });

  test('keeps its margins when written and read again', () => {
    const again = readXgboost(JSON.parse(writeXgboost(ensemble)));
    expect(bitsOf(predictTrees(again, batch))).toEqual(margin_bits);
  });
});

test('a probability is that of the library within 1e-6', () => {
  const [{ model, probabilities } = { model: '' }] = golden.cases;
  const margins = predictTrees(readXgboost(JSON.parse(model)), batch);
  for (const [row, margin] of margins.entries()) {
    expect(Math.abs(logistic(margin) - (probabilities?.[row] ?? Number.NaN))).toBeLessThan(1e-6);
  }
});
