/** Goal: at most a share of values lies from a band on, and as many as ties allow. Method: values by hand, and drawn ones that tie often. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bandAt,
  countTaken,
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

test.each([
  ['as asked', 1000, 1, [1, 1]],
  ['twice as often', 1000, 2, [2, 2]],
  ['five times as often', 1000, 5, [2, 2]],
  ['never', 1000, 0, [0.5, 0.5]],
  ['by fewer than 1,000', 999, 5, [1, 1]],
])('a share that was taken %s', (_, payments, times, taken) => {
  const tops = topsOf(rising(1000));
  const counted = countTaken();
  for (let nth = 0; nth < payments; nth++) counted.add(tops, 1 - (nth + 0.5) / 1000 / times);
  counted.add(new Float64Array(), 1);
  expect([9, 19].map((share) => counted.end()[share])).toEqual(taken);
});

test('a share that was taken twice as often is halved, and a greater share has no greater threshold', () => {
  const taken = new Float64Array(100).fill(2);
  expect(bandAt(topsOf(rising(1000), taken), 0.01)).toBe(0.995);
  taken.fill(0.5, 1);
  expect(bandAt(topsOf(rising(1000), taken), 0.01)).toBe(0.98);
  taken.set([0.5, 2, 2]);
  const tops = topsOf(rising(1000), taken);
  expect([...tops.subarray(0, 3)]).toEqual([0.998, 0.998, 0.998]);
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
  [3000, 2],
  [2000, 2],
  [1999, 3],
  [500, 8],
])('of %i payments a day the newest %i days give bands', (count, days) => {
  const payments = new Map(Array.from({ length: 28 }, (_, nth) => [nth, count]));
  const newest = Array.from({ length: days }, (_, nth) => 27 - nth);
  expect([...daysOfTops(payments, 28)]).toEqual(newest);
});
