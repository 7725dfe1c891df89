/** Goal: a bucket counts the cuts below a value. Method: cuts beside a plain count over sorted samples, with ties and gaps. */
import { expect, test } from 'vitest';
import {
  BUCKETS,
  bucketOf,
  CUTS,
  createCuts,
  MISSING_BUCKET,
  NO_CUTS_BUCKET,
  writeCuts,
} from '../../../../../src/core/score/scorecard/cuts.ts';
import { createRandom } from '../../../../../src/kit/random.ts';

const SHARES = [
  0.0005, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55,
  0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999,
];

function cutsOf(values: readonly number[]) {
  const cuts = createCuts(2);
  writeCuts(cuts, 1, Float64Array.from(values));
  return cuts;
}

test('a measure has 31 cuts and 34 buckets', () => {
  expect([CUTS, BUCKETS, MISSING_BUCKET, NO_CUTS_BUCKET]).toEqual([31, 34, 32, 33]);
});

test('cuts stand at shares of the present values, as single floats', () => {
  const random = createRandom('cuts');
  const values = Array.from({ length: 1237 }, () => (random() < 0.2 ? Number.NaN : random() * 90));
  const present = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const expected = SHARES.map((share) =>
    Math.fround(
      present[Math.min(present.length - 1, Math.floor(share * present.length))] ?? Number.NaN,
    ),
  );
  expect([...cutsOf(values).subarray(CUTS)]).toEqual(expected);
});

test('a bucket is the number of cuts below a value', () => {
  const random = createRandom('buckets');
  const values = Array.from({ length: 900 }, () => Math.floor(random() * 12));
  const cuts = cutsOf(values);
  const own = [...cuts.subarray(CUTS)];
  for (const value of [-1, 0, 0.5, 3, 7, 11, 12, Number.POSITIVE_INFINITY]) {
    expect(bucketOf(cuts, 1, value)).toBe(own.filter((cut) => cut < value).length);
  }
  expect(bucketOf(cuts, 1, Number.POSITIVE_INFINITY)).toBe(CUTS);
  expect(bucketOf(cuts, 1, Number.NEGATIVE_INFINITY)).toBe(0);
});

test('values that are all the same are below no cut, and a greater value is above all', () => {
  const cuts = cutsOf(Array.from({ length: 300 }, () => 1));
  expect([0, 1, 2].map((value) => bucketOf(cuts, 1, value))).toEqual([0, 0, CUTS]);
});

test('fewer than 300 present values give no cuts; a missing value stays missing', () => {
  const gaps = Array.from({ length: 500 }, () => Number.NaN);
  const cuts = cutsOf([...gaps, ...Array.from({ length: 299 }, (_, value) => value)]);
  expect(bucketOf(cuts, 1, 5)).toBe(NO_CUTS_BUCKET);
  expect(bucketOf(cuts, 1, Number.NaN)).toBe(MISSING_BUCKET);
  expect(bucketOf(cutsOf(Array.from({ length: 300 }, (_, value) => value)), 1, 0)).toBe(0);
  expect(bucketOf(cutsOf([]), 1, 0)).toBe(NO_CUTS_BUCKET);
});

test('cuts of an earlier night are taken back where a measure has none now', () => {
  const cuts = cutsOf(Array.from({ length: 300 }, (_, value) => value));
  writeCuts(cuts, 1, new Float64Array(4));
  expect(bucketOf(cuts, 1, 5)).toBe(NO_CUTS_BUCKET);
});
