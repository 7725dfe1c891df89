/** Goal: a table names common values alone, and counts all others together. Method: made counts at both sides of each bound. */
import { expect, test } from 'vitest';
import { liftOf } from '../../../../../src/core/score/scorecard/day-evidence.ts';
import {
  type CountedValue,
  liftIn,
  liftsOf,
} from '../../../../../src/core/score/scorecard/lifts.ts';

const market = { payments: 50_000, frauds: 300 };

const counted = (value: string, payments: number, frauds = 0, accounts = 10): CountedValue => ({
  value,
  payments,
  accounts,
  matured: { payments: payments - 10, frauds },
});

test('a value has its own lift from 30 payments of 10 accounts on', () => {
  const lifts = liftsOf(
    [counted('games', 30, 4), counted('few', 29, 7), counted('single', 90, 9, 9)],
    market,
  );
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
  const lifts = liftsOf(values.toReversed(), market);
  expect(lifts.byValue.size).toBe(256);
  expect(lifts.byValue.has('v255')).toBe(true);
  expect(lifts.byValue.has('v256')).toBe(false);
  expect(lifts).toEqual(liftsOf(values, market));
});

test('values that are counted together stay apart from an empty text', () => {
  const together = { ...counted('', 50, 8, 0), payments: 0 };
  const lifts = liftsOf([counted('', 60, 2), together], market);
  expect(lifts.byValue.get('')).toBe(liftOf({ payments: 50, frauds: 2 }, market));
  expect(lifts.others).toBe(liftOf({ payments: 40, frauds: 8 }, market));
});

test('a payment without the field has no lift, and a market without frauds none at all', () => {
  expect(liftIn(liftsOf([], market), null)).toBeNaN();
  expect(liftIn(liftsOf([], market), 'games')).toBeCloseTo(0, 12);
  expect(liftIn(liftsOf([counted('a', 99)], { payments: 900, frauds: 0 }), 'a')).toBeNaN();
});
