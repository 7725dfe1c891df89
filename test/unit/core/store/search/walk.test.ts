import { describe, expect, test } from 'vitest';
import {
  createBudget,
  SLICES_MAX,
  type Walk,
  type WalkedSlice,
  walkRanges,
} from '../../../../../src/core/store/search/walk.ts';
import { WALK_MS_MAX } from '../../../../../src/kit/database/open-database.ts';
import { type Position, positionBefore } from '../../../../../src/kit/words/cursor.ts';

/** Months of ten milliseconds, newest first: [n*10, n*10+10). */
const months = (count: number) =>
  Array.from({ length: count }, (_, n) => (count - 1 - n) * 10).map((fromMs) => ({
    ...{ fromMs, toMs: fromMs + 10 },
  }));
const rowAt = (atMs: number): Position => ({
  atMs,
  id: positionBefore(atMs).id.replace(/0000-0000-0{12}$/, '7000-8000-000000000000'),
});

/** Reads rows at the given times as a table would, and looks at `examined` of them a slice; ends after `rows`. */
function table(times: readonly number[], examined: number, rows = 100, isDescending = true) {
  const slices: WalkedSlice[] = [];
  const found: number[] = [];
  const readSlice: Walk['readSlice'] = async (slice) => {
    slices.push(slice);
    const within = times
      .filter((at) => at >= slice.fromMs && at < slice.toMs)
      .filter((at) =>
        isDescending ? rowAt(at).id < slice.after.id : rowAt(at).id > slice.after.id,
      )
      .sort((a, b) => (isDescending ? b - a : a - b))
      .slice(0, examined);
    const taken = within.slice(0, rows - found.length);
    found.push(...taken);
    const last = found.length === rows ? taken.at(-1) : within[examined - 1];
    return { reached: last === undefined ? null : rowAt(last), isEnough: found.length === rows };
  };
  return { slices, found, readSlice };
}

const walk = (given: Partial<Walk> & Pick<Walk, 'ranges' | 'readSlice'>) =>
  walkRanges({ isDescending: true, after: null, budget: createBudget(), ...given });

describe('walkRanges', () => {
  test('reads at most SLICES_MAX slices a request and says where it stopped', async () => {
    const { slices, readSlice } = table([3], 100);
    const ranges = months(SLICES_MAX + 5);
    expect(await walk({ ranges, readSlice })).toEqual(positionBefore(50));
    expect(slices).toHaveLength(SLICES_MAX);
  });

  test('begins no slice once its time is used up, but always reads one', async () => {
    const { found, readSlice } = table([25, 15, 5], 100);
    let nowMs = 0;
    const slow: Walk['readSlice'] = (slice) => {
      nowMs += WALK_MS_MAX + 1;
      return readSlice(slice);
    };
    const budget = createBudget(() => nowMs);
    expect(await walk({ ranges: months(3), readSlice: slow, budget })).toEqual(positionBefore(20));
    expect(found).toEqual([25]);
  });
});

test('a slice looks at more than the one before it, and at no more than fits in the time that is left', () => {
  let nowMs = 0;
  const budget = createBudget(() => nowMs);
  const begin = () => {
    budget.count();
    return budget.rowsMax();
  };
  expect(begin()).toBe(500);
  expect(begin()).toBe(2000);
  budget.noteRows(1000);
  nowMs = WALK_MS_MAX / 4;
  expect(begin()).toBe(3000);
  budget.noteRows(3000);
  nowMs = WALK_MS_MAX - 1;
  expect(begin()).toBe(100);
});
