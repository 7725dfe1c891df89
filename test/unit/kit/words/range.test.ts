/** Goal: a range that can hold nothing is refused, and one that can is not. Method: both orders and equal bounds, of each kind. */
import { expect, test } from 'vitest';
import { DAYS, findEmpty, NUMBERS, TIMES } from '../../../../src/kit/words/range.ts';

const NOON = Date.UTC(2026, 10, 30, 12);

test('equal times find nothing, and the message says how one day is asked for', () => {
  expect(findEmpty({ from: NOON, to: NOON }, 'from', 'to', TIMES)).toEqual({
    pointer: '/to',
    detail:
      "must be later than /from, not '2026-11-30T12:00:00.000Z' as well: the range ends before /to, and one day is from 2026-11-30 to 2026-12-01",
  });
  expect(findEmpty({ from: NOON, to: NOON + 1 }, 'from', 'to', TIMES)).toBeUndefined();
});

test('equal days and numbers find one, as both ends are in the range', () => {
  expect(findEmpty({ from: NOON, to: NOON }, 'from', 'to', DAYS)).toBeUndefined();
  expect(findEmpty({ min: 3, max: 3 }, 'min', 'max', NUMBERS)).toBeUndefined();
});
