/** Goal: features of a table's counts are the formulas of docs/detection.md. Method: hand-made counts, and the formulas by Math. */
import { expect, test } from 'vitest';
import {
  cellOf,
  hourShares,
  hourSurprise,
  liftOf,
  numberToAccount,
  TAIL_BUCKETS,
  tailBucket,
  tailOf,
} from '../../../../../src/core/score/scorecard/day-evidence.ts';

const market = { payments: 10_000, frauds: 80 };

test('a key without payments has no lift, and one that is as bad as the market hardly any', () => {
  expect(liftOf({ payments: 0, frauds: 0 }, market)).toBeCloseTo(0, 12);
  const base = 80.5 / 10_100;
  expect(liftOf({ payments: 500, frauds: 40 }, market)).toBeCloseTo(
    Math.log((40 + 30 * base) / 530 / base),
    12,
  );
  expect(liftOf({ payments: 500, frauds: 0 }, market)).toBeLessThan(-2);
});

test('a lift is missing while the market has no fraud', () => {
  expect(liftOf({ payments: 5, frauds: 0 }, { payments: 900, frauds: 0 })).toBeNaN();
});

test('cells are tenths of a decade', () => {
  const cells = [0.01, 1, 9.99, 10, 12.5, 12.6, 1000].map((amount) => cellOf('', amount));
  expect(cells.map(Number)).toEqual([-20, 0, 9, 10, 10, 11, 30]);
});

test('tails have fifty buckets a decade of one and the number', () => {
  expect([-5, 0, 9, 99, 98.9].map(tailBucket)).toEqual([0, 0, 50, 100, 99]);
  expect(tailBucket(1e300)).toBe(TAIL_BUCKETS - 1);
});

test('a tail counts decades of rarity', () => {
  expect(tailOf(1000, 1000)).toBeCloseTo(-Math.log10(1000.5 / 1001), 12);
  expect(tailOf(0, 999)).toBeCloseTo(-Math.log10(0.5 / 1000), 12);
  expect(tailOf(0, 0)).toBeNaN();
});

const even = hourShares(new Array<number>(24).fill(100));

test('shares of hours are those of the market, and none is 0', () => {
  expect([...even]).toEqual(new Array(24).fill(101 / 2424));
  expect([...hourShares([])]).toEqual(new Array(24).fill(1 / 24));
});

test('an account without a past is as surprising as the market', () => {
  expect(hourSurprise([], even, 3)).toBeCloseTo(0, 12);
});

test('an hour at which an account never pays is a surprise, and its neighbours count', () => {
  const siblings = new Array<number>(24).fill(0);
  siblings[23] = 60;
  const share = 101 / 2424;
  const expected = (a: number) => -Math.log10((24 * (a + 12 * share)) / 72);
  expect(hourSurprise(siblings, even, 12)).toBeCloseTo(expected(0), 12);
  expect(hourSurprise(siblings, even, 23)).toBeCloseTo(expected(30), 12);
  expect(hourSurprise(siblings, even, 0)).toBeCloseTo(expected(15), 12);
  expect(hourSurprise(siblings, even, 22)).toBeCloseTo(expected(15), 12);
});

test('a number is compared with the upper median of five or more', () => {
  const to = (value: number, ...newest: number[]) =>
    numberToAccount(value, Float32Array.from(newest));
  expect(to(6, 1, 2, 3, 4)).toBeNaN();
  expect(to(6, 5, 1, 3, 2, 4)).toBe(2);
  expect(to(8, 5, 1, 3, 6, 2, 4)).toBe(2);
  expect(to(8, 0, 0, 0, 0, 0)).toBe(80);
});
