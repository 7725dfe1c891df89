import { expect, test } from 'vitest';
import { estimateRows, type Slice } from '../../../../../src/core/store/scores/score-window.ts';

const LENGTH_MS = 1000;
const FULL = 400;
/** @param afterMs time of the last counted key */
const slice = (at: number, keys: number, afterMs = LENGTH_MS - 1): Slice => ({
  fromMs: at * LENGTH_MS,
  toMs: (at + 1) * LENGTH_MS,
  keys,
  isWhole: keys < FULL,
  lastMs: at * LENGTH_MS + afterMs,
});

test('estimateRows does not take a file with one time for the whole day', () => {
  const day = Array.from({ length: 20 }, (_, at) => slice(at, FULL, 200));
  day[10] = slice(10, FULL, 0);
  expect(estimateRows(day)[10]).toBe(8000);
  expect(estimateRows([slice(0, 3), slice(1, FULL, 0), slice(2, 3)])[1]).toBe(FULL);
});
