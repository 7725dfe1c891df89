import fc from 'fast-check';
import { expect, test } from 'vitest';
import { naturalLog } from '../../../../src/core/profile/arithmetic.ts';

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
