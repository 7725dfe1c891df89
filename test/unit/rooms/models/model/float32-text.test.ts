import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { float32Text } from '../../../../../src/rooms/models/model/write-xgboost.ts';

describe('float32Text', () => {
  test('reads back as the same float32', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        // The sign of a zero is lost, which no sum or comparison shows.
        expect(Math.fround(Number(float32Text(value)))).toBe(value + 0);
      }),
      { numRuns: 1000 },
    );
  });

  test('is short, and a float to a reader that tells integers apart', () => {
    expect(float32Text(0.5)).toBe('5E-1');
    expect(float32Text(0)).toBe('0E0');
    expect(float32Text(-12)).toBe('-1.2E1');
    expect(float32Text(Math.fround(0.1))).toBe('1E-1');
    expect(float32Text(16_777_217)).toBe('1.6777216E7');
  });
});
