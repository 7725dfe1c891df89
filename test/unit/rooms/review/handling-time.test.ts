import { expect, test } from 'vitest';
import { HANDLED_MIN, handlingTime } from '../../../../src/rooms/review/handling-time.ts';

test('a time of a review takes enough handled ones', () => {
  const timeOf = (handled: number) => handlingTime({ handled, medianSeconds: 90 });
  expect([1, 2, HANDLED_MIN - 1, HANDLED_MIN].map(timeOf)).toEqual([null, null, null, 90]);
  expect(handlingTime({ handled: 0, medianSeconds: null })).toBe(null);
});
