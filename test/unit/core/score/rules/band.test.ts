import { describe, expect, test } from 'vitest';
import { bandIndex, bandWeight } from '../../../../../src/core/score/rules/band.ts';

const bands = [
  { from: 2, weight: 0.1 },
  { from: 4, weight: 0.5 },
  { from: 8, weight: 0.9 },
];

describe('bandIndex', () => {
  test.each([
    [1.999, -1],
    [2, 0],
    [3.999, 0],
    [4, 1],
    [8, 2],
    [1e9, 2],
    [Number.POSITIVE_INFINITY, 2],
    [Number.NaN, -1],
  ])('includes the lower bound and excludes the upper: %d', (value, index) => {
    expect(bandIndex(bands, value)).toBe(index);
  });
});

describe('bandWeight', () => {
  test.each([
    [1.999, 0],
    [2, 0.1],
    [3, 0.3],
    [4, 0.5],
    [8, 0.9],
    [100, 0.9],
    [Number.POSITIVE_INFINITY, 0.9],
    [Number.NaN, 0],
  ])('rises evenly within a band: %d', (value, weight) => {
    expect(bandWeight(bands, value)).toBeCloseTo(weight, 12);
  });
});
