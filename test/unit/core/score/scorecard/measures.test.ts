/** Goal: a scorecard weighs each feature of the vector, and those that need a condition under it alone. Method: one vector, changed. */
import { expect, test } from 'vitest';
import {
  FEATURE_COUNT,
  type FeatureName,
  featureIndex,
} from '../../../../../src/core/domain/feature-schema.ts';
import {
  DEFAULT_MEASURE,
  logOddsOf,
  measureNames,
  writeMeasures,
} from '../../../../../src/core/score/scorecard/measures.ts';

const SLOTS = ['category_lift', 'distance_tail'];
const names = measureNames(SLOTS);

function measured(features: Partial<Record<FeatureName, number>>, slots: readonly number[] = []) {
  const vector = Float64Array.from({ length: FEATURE_COUNT }, (_, index) => index);
  for (const [name, value] of Object.entries(features)) {
    vector[featureIndex(name as FeatureName)] = value;
  }
  const into = new Float64Array(names.length);
  writeMeasures(Float64Array.of(...vector, ...slots), -3, into);
  return (name: string) => into[names.indexOf(name)];
}

test('every feature but four is a measure, with five derived ones, the default and the slots', () => {
  expect(new Set(names).size).toBe(names.length);
  expect(names).toHaveLength(FEATURE_COUNT - 4 + 5 + 1 + SLOTS.length);
  const others = ['weekday', 'weekend', 'amount_log', 'number_tail_max'];
  for (const name of others) expect(names).not.toContain(name);
  const of = measured({ amount: 77, amount_to_corridor: 1.5 });
  expect([of('amount'), of('amount_to_corridor'), of(DEFAULT_MEASURE)]).toEqual([77, 1.5, -3]);
});

test('a slot that an older vector lacks is missing', () => {
  expect(measured({}, [0.5])('category_lift')).toBe(0.5);
  expect(measured({}, [0.5])('distance_tail')).toBeNaN();
});

test('counts are compared with the usual ones from three days on', () => {
  const of = measured({ span_days: 3, count_24h: 4, usual_24h: 0.1, count_1h: 1, usual_1h: 0.5 });
  expect(of('count_24h_to_usual')).toBe(25);
  expect(of('count_1h_to_usual')).toBe(4);
  for (const span_days of [2.9, Number.NaN]) {
    expect(measured({ span_days })('count_24h_to_usual')).toBeNaN();
    expect(measured({ span_days })('count_1h_to_usual')).toBeNaN();
  }
});

test('the hour of a merchant is compared from a hundred payments on', () => {
  const busy = { merchant_count_30d: 100, merchant_count_1h: 5, merchant_usual_1h: 0 };
  expect(measured(busy)('merchant_count_1h_to_usual')).toBe(300);
  expect(measured({ ...busy, merchant_count_30d: 99 })('merchant_count_1h_to_usual')).toBeNaN();
});

test('a pause counts from five siblings on, unless the amount is below the median', () => {
  const of = (siblings: number, amount_to_median: number) =>
    measured({ siblings, amount_to_median, gap_hours: 9 })('gap_hours_of_habit');
  expect([of(5, 1), of(5, Number.NaN)]).toEqual([9, 9]);
  expect([of(4, 1), of(5, 0.99)]).toEqual([Number.NaN, Number.NaN]);
});

test('the rate of a merchant counts during a run, and is else 0', () => {
  const of = (merchant_run_days: number, merchant_ordinary_rate_7d: number) =>
    measured({ merchant_run_days, merchant_ordinary_rate_7d })('merchant_rate_of_run');
  expect(of(28, 0.6)).toBe(0.6);
  expect([of(28.1, 0.6), of(Number.NaN, 0.6), of(3, Number.NaN)]).toEqual([0, 0, 0]);
});

test('log-odds of the default are finite at both ends', () => {
  expect(logOddsOf(0)).toBeCloseTo(Math.log(0.001), 12);
  expect(logOddsOf(0.5)).toBeCloseTo(Math.log(0.501 / 0.5), 12);
  expect(logOddsOf(1)).toBeCloseTo(Math.log(1.001 / 0.0005), 10);
});
