import { expect, test } from 'vitest';
import { leastOf } from '../../../../../src/rooms/models/scorecards/beside.ts';

test.each([
  [[9, 8, 7, 6], 2, 8],
  [[9, 8, 7, 6], 4, 6],
  [[9, 8, 8, 8], 3, 9],
  [[9, 9, 9, 8], 2, 2],
  [[9], 0, 2],
])('of %j at most %i lie from %d on', (falling, count, least) => {
  expect(leastOf(Float64Array.from(falling), count)).toBe(least);
});
