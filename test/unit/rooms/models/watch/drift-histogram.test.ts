import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../../src/kit/random.ts';
import {
  countValues,
  describeValues,
  stabilityIndex,
} from '../../../../../src/rooms/models/watch/drift-histogram.ts';

const ROWS = 5000;
const random = createRandom('drift');
const drawn = (of: () => number) => Float32Array.from({ length: ROWS }, of);
const before = drawn(() => (random() < 0.1 ? Number.NaN : random()));
const histogram = describeValues('amount', before);

function indexOf(values: ArrayLike<number>): number {
  return stabilityIndex(histogram, countValues(histogram.cuts, values));
}

describe('stability index', () => {
  test('shares are deciles of what is there, and the missing', () => {
    expect(histogram.shares).toHaveLength(11);
    for (const share of histogram.shares) expect(share).toBeCloseTo(0.09, 1.3);
    expect(histogram.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(histogram.shares.at(-1)).toBeCloseTo(0.1, 1.5);
  });

  test('is 0 for the training rows, little for others like them, much for others', () => {
    expect(indexOf(before)).toBe(0);
    expect(indexOf(drawn(() => (random() < 0.1 ? Number.NaN : random())))).toBeLessThan(0.02);
    expect(indexOf(drawn(() => random() + 0.5))).toBeGreaterThan(0.25);
    expect(indexOf(drawn(() => (random() < 0.6 ? Number.NaN : random())))).toBeGreaterThan(0.25);
  });

  test('is never negative, and finite where a bin is empty', () => {
    const values = fc.array(fc.oneof(fc.double(), fc.constant(Number.NaN)), { minLength: 1 });
    fc.assert(
      fc.property(values, (now) => {
        expect(indexOf(now)).toBeGreaterThanOrEqual(0);
        expect(indexOf(now)).toBeLessThan(Number.POSITIVE_INFINITY);
      }),
    );
  });

  test('is not defined without values', () => {
    expect(indexOf([])).toBeNaN();
  });

  test('is by hand what its formula says', () => {
    const halves = { name: 'x', cuts: [0], shares: [0.5, 0.5, 0] };
    const index = stabilityIndex(halves, Float64Array.of(80, 20, 0));
    expect(index).toBeCloseTo(0.3 * Math.log(1.6) - 0.3 * Math.log(0.4), 12);
  });
});
