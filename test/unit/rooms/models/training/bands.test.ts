import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bandsForBudget, bandsForCosts } from '../../../../../src/rooms/models/training/bands.ts';

const anyProbabilities = fc
  .array(fc.integer({ min: 0, max: 10 }), { maxLength: 30 })
  .map((tenths) => Float64Array.from(tenths, (tenth) => tenth / 10));

test('bandsForBudget spends what it may and no more', () => {
  const count = fc.integer({ min: 0, max: 12 });
  fc.assert(
    fc.property(anyProbabilities, count, count, (probabilities, reviews, declines) => {
      const bands = bandsForBudget(probabilities, { reviews, declines });
      const from = (bound: number) => probabilities.filter((p) => p >= bound).length;
      expect(from(bands.declineFrom)).toBeLessThanOrEqual(declines);
      expect(from(bands.reviewFrom)).toBeLessThanOrEqual(declines + reviews);
      expect(bands.reviewFrom).toBeLessThanOrEqual(bands.declineFrom);
      // The next lower probability would exceed the budget.
      for (const [bound, most] of [
        [bands.declineFrom, declines],
        [bands.reviewFrom, declines + reviews],
      ] as const) {
        const below = Math.max(...probabilities.filter((p) => p < bound));
        if (below > Number.NEGATIVE_INFINITY) expect(from(below)).toBeGreaterThan(most);
      }
    }),
  );
});

describe('bandsForCosts', () => {
  const cost = fc.integer({ min: 1, max: 500 });
  const anyCosts = fc.tuple(cost, cost, cost, cost).map(([a, b, c, d]) => ({
    fraud: { approve: a + b, review: b, decline: 0 },
    legitimate: { approve: 0, review: c, decline: c + d },
  }));

  test('at every probability the verdict of the bands costs least', () => {
    const probability = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(anyCosts, probability, (costs, p) => {
        const { reviewFrom, declineFrom } = bandsForCosts(costs);
        const chosen = p >= declineFrom ? 'decline' : p >= reviewFrom ? 'review' : 'approve';
        const expected = (verdict: 'approve' | 'review' | 'decline') =>
          p * costs.fraud[verdict] + (1 - p) * costs.legitimate[verdict];
        const least = Math.min(expected('approve'), expected('review'), expected('decline'));
        expect(expected(chosen)).toBeCloseTo(least, 9);
      }),
      { numRuns: 500 },
    );
  });

  test('refuses costs under which strictness is free', () => {
    const fraud = { approve: 100, review: 20, decline: 0 };
    expect(() =>
      bandsForCosts({ fraud, legitimate: { approve: 0, review: 0, decline: 9 } }),
    ).toThrow('a stricter verdict');
  });
});
