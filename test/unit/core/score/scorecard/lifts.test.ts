/** Goal: a table names common values alone, and counts all others together. Method: made counts at both sides of each bound. */
import { expect, test } from 'vitest';
import { liftOf } from '../../../../../src/core/score/scorecard/day-evidence.ts';
import { liftIn, liftsOf, type ValueSum } from '../../../../../src/core/score/scorecard/lifts.ts';

const market = { payments: 50_000, frauds: 300 };

const NONE: ValueSum = { payments: 0, matured: 0, frauds: 0, accounts: [] };
const counted = (value: string, payments: number, frauds = 0, accounts = 10) => {
  const hashes = Array.from({ length: accounts }, (_, nth) => nth);
  return [value, { payments, matured: payments - 10, frauds, accounts: hashes }] as const;
};
const lifted = (...values: ReturnType<typeof counted>[]) => liftsOf(new Map(values), NONE, market);

test('a value has its own lift from 30 payments of 10 accounts on', () => {
  const lifts = lifted(counted('games', 30, 4), counted('few', 29, 7), counted('single', 90, 9, 9));
  expect([...lifts.byValue.keys()]).toEqual(['games']);
  expect(liftIn(lifts, 'games')).toBe(liftOf({ payments: 20, frauds: 4 }, market));
  const others = liftOf({ payments: 19 + 80, frauds: 16 }, market);
  expect(['few', 'single', 'unseen'].map((value) => liftIn(lifts, value))).toEqual([
    others,
    others,
    others,
  ]);
});

test('the 256 values with most payments are named, ties in the order of names', () => {
  const values = Array.from({ length: 300 }, (_, nth) =>
    counted(`v${String(nth).padStart(3, '0')}`, nth < 200 ? 1000 + nth : 500),
  );
  const lifts = lifted(...values.toReversed());
  expect(lifts.byValue.size).toBe(256);
  expect(lifts.byValue.has('v255')).toBe(true);
  expect(lifts.byValue.has('v256')).toBe(false);
  expect(lifts).toEqual(lifted(...values));
});

test('values that are counted together stay apart from an empty text', () => {
  const together = { ...NONE, matured: 40, frauds: 8 };
  const lifts = liftsOf(new Map([counted('', 60, 2)]), together, market);
  expect(lifts.byValue.get('')).toBe(liftOf({ payments: 50, frauds: 2 }, market));
  expect(lifts.others).toBe(liftOf({ payments: 40, frauds: 8 }, market));
});

test('a payment without the field has no lift, and a market without frauds none at all', () => {
  expect(liftIn(lifted(), null)).toBeNaN();
  expect(liftIn(lifted(), 'games')).toBeCloseTo(0, 12);
  const honest = liftsOf(new Map([counted('a', 99)]), NONE, { payments: 900, frauds: 0 });
  expect(liftIn(honest, 'a')).toBeNaN();
});
