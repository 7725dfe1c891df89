import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  exponential,
  logistic,
  softPlus,
} from '../../../../../src/rooms/models/model/exponential.ts';

describe('exponential', () => {
  test('is within a few units in the last place of the true value', () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (value) => {
        const near = Math.exp(value);
        expect(Math.abs(exponential(value) - near)).toBeLessThanOrEqual(4 * Number.EPSILON * near);
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps its bits', () => {
    expect(exponential(0)).toBe(1);
    expect(exponential(1.5)).toBe(4.4816890703380645);
    expect(exponential(-3.25)).toBe(0.03877420783172201);
    expect(exponential(Math.LN2)).toBe(2);
  });

  test('ends in 0 and infinity, and passes NaN on', () => {
    expect(exponential(-709)).toBe(0);
    expect(exponential(710)).toBe(Number.POSITIVE_INFINITY);
    expect(exponential(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(exponential(Number.NaN)).toBeNaN();
  });
});

describe('logistic', () => {
  test('of a margin and its opposite add up to 1, and it never falls', () => {
    const margin = fc.double({ min: -800, max: 800, noNaN: true });
    fc.assert(
      fc.property(margin, margin, (a, b) => {
        expect(logistic(a) + logistic(-a)).toBeCloseTo(1, 15);
        if (a < b) expect(logistic(a)).toBeLessThanOrEqual(logistic(b));
      }),
    );
  });

  test('keeps small probabilities', () => {
    expect(logistic(-40)).toBeCloseTo(Math.exp(-40), 25);
    expect(logistic(0)).toBe(0.5);
  });
});

test('softPlus is -ln of the probability of the other label', () => {
  fc.assert(
    fc.property(fc.double({ min: -30, max: 30, noNaN: true }), (margin) => {
      expect(softPlus(margin)).toBeCloseTo(-Math.log(logistic(-margin)), 9);
    }),
  );
  expect(softPlus(1000)).toBe(1000);
  expect(softPlus(-1000)).toBe(0);
});
