/**
 * Goal: times of an export are those that Date writes, whatever day the row before was of. Method: moments around midnights, leap
 * days and the ends of four-digit years, in order and mixed.
 */
import { expect, test } from 'vitest';
import { timeText } from '../../../../../src/rooms/exports/write/cells.ts';

const DAY_MS = 86_400_000;
const MIDNIGHTS = [
  -62_135_596_800_000,
  -DAY_MS,
  0,
  DAY_MS,
  ...['2026-11-23', '2028-02-29', '9999-12-31'].map((day) => Date.parse(`${day}T00:00:00Z`)),
];
const MOMENTS = MIDNIGHTS.flatMap((midnight) =>
  [-1, 0, 1, 999, 59_999, 3_599_999, 3_600_000, DAY_MS - 1].map((ms) => midnight + ms),
);

test.each([
  ['in order', MOMENTS],
  ['from the newest', MOMENTS.toReversed()],
  ['of two days in turn', MOMENTS.flatMap((ms) => [ms, Date.UTC(2026, 0, 1) + 500, ms])],
])('times %s', (_, moments) => {
  const inRange = moments.filter((ms) => ms >= -62_135_596_800_000);
  expect(inRange.map((ms) => timeText(String(ms / 1000)))).toEqual(
    inRange.map((ms) => new Date(ms).toISOString()),
  );
});
