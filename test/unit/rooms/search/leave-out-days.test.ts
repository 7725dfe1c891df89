import { expect, test } from 'vitest';
import { withinDays } from '../../../../src/rooms/search/queries/leave-out-days.ts';

test('withinDays joins days in a row, within each range and in its order', () => {
  expect(
    withinDays(
      [20, 10, 0].map((fromMs) => ({ fromMs, toMs: fromMs + 10 })),
      [0, 5, 10, 25],
      5,
      true,
    ),
  ).toEqual([
    { fromMs: 25, toMs: 30 },
    { fromMs: 10, toMs: 15 },
    { fromMs: 0, toMs: 10 },
  ]);
  expect(withinDays([{ fromMs: 0, toMs: 10 }], [], 5, false)).toEqual([]);
});
