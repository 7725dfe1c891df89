/** Goal: no line leads across what could not be measured. Method: moments, of which some are missing. */
import { expect, test } from 'vitest';
import { withGaps } from '../../../console/src/parts/gaps.ts';

test('the first value after a missing moment is left out', () => {
  const times = [0, 10, 22, 37, 58, 68];
  expect(withGaps(times, [1, 2, 3, null, 5, 6])).toEqual([1, 2, 3, null, null, 6]);
  expect(withGaps([], [])).toEqual([]);
});
