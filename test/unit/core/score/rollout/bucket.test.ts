/** Goal: a canary takes the share it was given, the same accounts every time, and grows by adding. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUCKETS, bucketOf, isDrawn } from '../../../../../src/core/score/rollout/in-force.ts';

const MODEL = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const account = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 128 });
const isInCanary = (accountId: string, subject: string, share: number) =>
  isDrawn({ canary: { subject, percent: share } }, accountId);
const percent = fc.integer({ min: 1, max: 99 });

describe('a canary', () => {
  test('keeps whoever is in it when it grows', () => {
    fc.assert(
      fc.property(account, percent, percent, (accountId, one, two) => {
        const [less, more] = one < two ? [one, two] : [two, one];
        return !isInCanary(accountId, MODEL, less) || isInCanary(accountId, MODEL, more);
      }),
    );
  });

  test('is of the share it was given, and independent of another model', () => {
    const accounts = Array.from({ length: 40_000 }, (_, n) => `acc_${n}`);
    const taken = accounts.filter((accountId) => isInCanary(accountId, MODEL, 5));
    const both = taken.filter((accountId) => isInCanary(accountId, OTHER, 5));
    // Five standard deviations of a binomial.
    expect(Math.abs(taken.length - 2000)).toBeLessThan(218);
    expect(Math.abs(both.length - 100)).toBeLessThan(49);
  });
});

test('bucketOf is the same in every version', () => {
  expect(['acc_1', 'acc_2', 'Zoë'].map((id) => bucketOf(id, MODEL))).toEqual([3322, 7251, 8394]);
  expect(BUCKETS).toBe(10_000);
});
