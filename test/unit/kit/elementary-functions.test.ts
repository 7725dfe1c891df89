import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exponential, naturalLog } from '../../../src/kit/elementary-functions.ts';

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

test('naturalLog is within a few units in the last place of the true value', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-4, max: 1e19, noNaN: true }), (value) => {
      const near = Math.log(value);
      const error = Math.abs(naturalLog(value) - near);
      expect(error).toBeLessThanOrEqual(4 * Number.EPSILON * Math.max(1, Math.abs(near)));
    }),
  );
});

test('naturalLog keeps its bits', () => {
  expect(naturalLog(1)).toBe(0);
  expect(naturalLog(0.01)).toBe(-4.605170185988091);
  expect(naturalLog(125.5)).toBe(4.832305758571838);
  expect(naturalLog(1e15)).toBe(34.538776394910684);
});
