/** Goal: no line leads across what could not be measured, and a plot spans its hour. Method: moments, of which some are missing. */
import { expect, test } from 'vitest';
import { lastHour, withGaps } from '../../../console/src/parts/gaps.ts';

test('the first value after a missing moment is left out', () => {
  const times = [0, 10, 22, 37, 58, 68];
  expect(withGaps(times, [1, 2, 3, null, 5, 6])).toEqual([1, 2, 3, null, null, 6]);
  expect(withGaps([], [])).toEqual([]);
});

test('the hour ends at the newest moment, also of a single one', () => {
  expect(lastHour([7000])).toEqual([3400, 7000]);
  expect(lastHour([100, 5000, 7200])).toEqual([3600, 7200]);
});
