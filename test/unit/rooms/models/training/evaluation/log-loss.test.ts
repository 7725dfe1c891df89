import { expect, test } from 'vitest';
import { logLoss } from '../../../../../../src/rooms/models/training/evaluation/ranking.ts';

test('logLoss is the mean of -ln of what was given to what happened', () => {
  const expected = -(Math.log(0.9) + Math.log(0.75)) / 2;
  expect(logLoss([0.9, 0.25], [1, 0])).toBeCloseTo(expected, 14);
});

test('a wrong certainty costs much, not infinitely much', () => {
  expect(logLoss([0], [1])).toBeCloseTo(-Math.log(1e-15), 9);
  expect(logLoss([1], [0])).toBeCloseTo(-Math.log(1e-15), 9);
});
