/** Goal: the regression guard tells a loss from noise. Method: published critical values, and seeded samples. */
import { describe, expect, test } from 'vitest';
import { leftOut, lossOf } from '../../../bench/support/rank-interval.ts';
import { slopeOf } from '../../../bench/support/slope.ts';
import { createRandom } from '../../../src/kit/random.ts';

const STEADY = [0.5, 0.51, 0.49, 0.505, 0.495, 0.502, 0.498];

// Two-sided 5 % critical values of the Mann-Whitney table, which count the rejected ones from 0.
test.each([
  [5, 5, 2],
  [7, 7, 8],
  [7, 10, 14],
  [10, 10, 23],
])('leftOut() of %i and %i is one more than the critical value %i', (size, other, critical) => {
  expect(leftOut(size, other)).toBe(critical + 1);
});

describe('lossOf()', () => {
  test('a steady loss is seen, with an interval that excludes 0', () => {
    const now = STEADY.map((ratio) => ratio * 0.8);
    const { loss, low, high } = lossOf(STEADY, now);
    expect(loss).toBeCloseTo(0.2, 10);
    expect(low).toBeGreaterThan(0.17);
    expect(high).toBeLessThan(0.23);
  });

  test('the interval holds the truth in 95 of 100 samples, outliers and all', () => {
    const random = createRandom('rank-interval');
    // Rounds scatter by a tenth; one in ten is disturbed and comes out at half.
    const round = () => (0.9 + 0.2 * random()) * (random() < 0.1 ? 0.5 : 1);
    const sample = () => Array.from({ length: 7 }, round);
    const held = Array.from({ length: 2000 }, () => lossOf(sample(), sample())).filter(
      ({ low, high }) => low <= 0 && high >= 0,
    );
    expect(held.length / 2000).toBeGreaterThanOrEqual(0.95);
    expect(held.length / 2000).toBeLessThan(0.99);
  });
});

test('of too few rounds there is no interval', () => {
  const { low, high } = lossOf([1, 1.01, 1.02], [0.5, 0.5, 0.5]);
  expect([low, high]).toEqual([-Infinity, Infinity]);
});

test('slopeOf() finds the slope of a line, whatever a few points do', () => {
  const line = Array.from({ length: 20 }, (_, x) => ({ x, y: 3 * x + 7 }));
  expect(slopeOf(line)).toBe(3);
  expect(slopeOf([...line, { x: 20, y: 10_000 }, { x: 21, y: -5000 }])).toBe(3);
});
