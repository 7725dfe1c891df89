/** Goal: at most a share of values lies from a band on, and as many as ties allow. Method: values by hand, and drawn ones that tie often. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bandAt,
  daysOfTops,
  leastOf,
  NEVER,
  topsOf,
} from '../../../../../src/core/score/scorecard/shares.ts';

test.each([
  [[9, 8, 7, 6], 2, 8],
  [[9, 8, 7, 6], 4, 6],
  [[9, 8, 8, 8], 3, 9],
  [[9, 9, 9, 8], 2, NEVER],
  [[9], 0, NEVER],
])('of %j at most %i lie from %d on', (falling, count, least) => {
  expect(leastOf(Float64Array.from(falling), count)).toBe(least);
});

const rising = (count: number) => Float64Array.from({ length: count }, (_, nth) => nth / count);

test('of 999 values nothing is told, of 1,000 a band for each thousandth', () => {
  expect(topsOf(rising(999))).toHaveLength(0);
  expect(bandAt(topsOf(rising(999)), 0.1)).toBe(NEVER);
  const tops = topsOf(rising(1000));
  expect(tops).toHaveLength(100);
  expect([0.001, 0.002, 0.01, 0.1].map((share) => bandAt(tops, share))).toEqual([
    0.999, 0.998, 0.99, 0.9,
  ]);
  expect(bandAt(tops, 0.101)).toBe(NEVER);
});

test('values that tie across the bound stay below it', () => {
  const values = rising(1000).map((value, nth) => (nth >= 995 ? 1 : value));
  expect(bandAt(topsOf(values), 0.004)).toBe(NEVER);
  expect(bandAt(topsOf(values), 0.005)).toBe(1);
});

test('a band is the least value that keeps the share', () => {
  const values = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1000, maxLength: 3000 });
  const property = fc.property(values, fc.integer({ min: 1, max: 100 }), (drawn, thousandths) => {
    const band = bandAt(topsOf(Float64Array.from(drawn)), thousandths / 1000);
    const from = (least: number) => drawn.filter((value) => value >= least).length;
    const allowed = (thousandths * drawn.length) / 1000;
    const below = Math.max(...drawn.filter((value) => value < band));
    expect(from(band)).toBeLessThanOrEqual(allowed);
    expect(from(below)).toBeGreaterThan(allowed);
  });
  fc.assert(property);
});

test.each([
  [3000, 7],
  [2500, 8],
  [1000, 20],
])('of %i payments a day the newest %i days give bands', (count, days) => {
  const payments = new Map(Array.from({ length: 28 }, (_, nth) => [nth, count]));
  const newest = Array.from({ length: days }, (_, nth) => 27 - nth);
  expect([...daysOfTops(payments, 28)]).toEqual(newest);
});
