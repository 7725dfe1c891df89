/** Files of archives that sessions in another time zone wrote. */
import { expect, test } from 'vitest';
import { toUtc } from '../../../../src/rooms/archive/part-file.ts';

const COLUMNS = [
  { type: 'text' },
  { type: 'timestamp(3) with time zone' },
  { type: 'timestamp(3) with time zone' },
];

test.each([
  ['2026-11-05 12:00:00.123+01', '2026-11-05 11:00:00.123+00'],
  ['2026-07-05 00:00:00.12+05:45', '2026-07-04 18:15:00.12+00'],
  ['2026-01-01 02:00:10-03', '2026-01-01 05:00:10+00'],
  ['2026-11-05 12:00:00.5+00', '2026-11-05 12:00:00.5+00'],
])('the time %s of a file is %s in the table, and a text stays as it is', (time, inUtc) => {
  expect(toUtc([time, time, null], COLUMNS)).toEqual([time, inUtc, null]);
});
