import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exponential } from '../../../../../src/rooms/models/model/exponential.ts';

test('exponential is within a few units in the last place of the true value', () => {
  fc.assert(
    fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (value) => {
      const near = Math.exp(value);
      expect(Math.abs(exponential(value) - near)).toBeLessThanOrEqual(4 * Number.EPSILON * near);
    }),
    { numRuns: 2000 },
  );
});

test('exponential keeps its bits', () => {
  expect(exponential(0)).toBe(1);
  expect(exponential(1.5)).toBe(4.4816890703380645);
  expect(exponential(-3.25)).toBe(0.03877420783172201);
  expect(exponential(Math.LN2)).toBe(2);
});
