import { describe, expect, test } from 'vitest';
import { estimateRows, type Slice } from '../../../../../src/core/store/scores/score-window.ts';
import { shareOut } from '../../../../../src/core/store/scores/share-out.ts';

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

describe('estimateRows', () => {
  test('believes what was counted to the end', () => {
    expect(estimateRows([slice(0, 3), slice(1, 0), slice(2, 399)])).toEqual([3, 0, 399]);
  });

  test('takes the rest of a full slice for as dense as its beginning', () => {
    const day = [slice(0, FULL, 200), slice(1, FULL, 100), slice(2, FULL, 200)];
    expect(estimateRows(day)).toEqual([2000, 4000, 2000]);
  });

  test('does not take a file with one time for the whole day', () => {
    const day = Array.from({ length: 20 }, (_, at) => slice(at, FULL, 200));
    day[10] = slice(10, FULL, 0);
    expect(estimateRows(day)[10]).toBe(8000);
    expect(estimateRows([slice(0, 3), slice(1, FULL, 0), slice(2, 3)])[1]).toBe(FULL);
  });
});

describe('shareOut', () => {
  test('is in proportion, adds up, and stays within what there is', () => {
    expect(shareOut(10, [1, 1, 2])).toEqual([1, 1, 2]);
    expect(shareOut(4, [2, 2, 4], [2, 2, 4])).toEqual([1, 1, 2]);
    expect(shareOut(6, [8, 1, 1], [2, 3, 3])).toEqual([2, 3, 1]);
    expect(shareOut(0, [])).toEqual([]);
  });
});
