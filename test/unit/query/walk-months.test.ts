import { describe, expect, test } from 'vitest';
import { decodeCursor, positionBefore } from '../../../src/domain/cursor.ts';
import { SLICES_MAX, WALK_MS_MAX, walkMonths } from '../../../src/query/walk-months.ts';
import type { MonthSlice } from '../../../src/store/partitions/month-slice.ts';

/** Months of ten milliseconds, newest first: [n*10, n*10+10). */
const months = (count: number) =>
  Array.from({ length: count }, (_, n) => (count - 1 - n) * 10).map((fromMs) => ({
    fromMs,
    toMs: fromMs + 10,
  }));
const rowAt = (createdAtMs: number) => ({
  createdAtMs,
  transactionId: positionBefore(createdAtMs).id,
});

/** Reads rows at the given times as a table would, and examines `examined` of them per slice. */
function table(times: readonly number[], examined: number, matches = (_: number) => true) {
  const slices: MonthSlice[] = [];
  const readSlice = async (slice: MonthSlice) => {
    slices.push(slice);
    const within = times
      .filter((at) => at >= slice.lowerMs && at < slice.upperMs)
      .filter((at) => rowAt(at).transactionId < slice.before.id)
      .sort((a, b) => b - a);
    const looked = within.slice(0, examined);
    const found = looked.filter(matches).slice(0, slice.rows).map(rowAt);
    const last = found.length === slice.rows ? found.at(-1)?.createdAtMs : looked.at(examined - 1);
    const reached = last === undefined ? null : { atMs: last, id: rowAt(last).transactionId };
    return { rows: found, reached };
  };
  return { slices, readSlice };
}

const everything = { fromMs: undefined, toMs: undefined, cursor: undefined };

describe('walkMonths', () => {
  test('stops at the newest month once the page is full', async () => {
    const { slices, readSlice } = table([25, 24, 23, 12, 3], 100);
    const page = await walkMonths({ ...everything, months: months(3), limit: 2, readSlice });
    expect(page.items.map((row) => row.createdAtMs)).toEqual([25, 24]);
    expect(decodeCursor(page.nextCursor ?? '')).toEqual({ atMs: 24, id: rowAt(24).transactionId });
    expect(slices).toHaveLength(1);
  });

  test('says that there is no more when the last row ends the page', async () => {
    const { readSlice } = table([25, 12], 100);
    const page = await walkMonths({ ...everything, months: months(3), limit: 2, readSlice });
    expect(page).toMatchObject({ items: [{ createdAtMs: 25 }, { createdAtMs: 12 }] });
    expect(page.nextCursor).toBeNull();
  });

  test('reads only months that the bounds and the cursor leave', async () => {
    const { slices, readSlice } = table([45, 35, 25, 15, 5], 100);
    const page = await walkMonths({
      months: months(5),
      fromMs: 12,
      toMs: 38,
      cursor: { atMs: 31, id: rowAt(31).transactionId },
      limit: 50,
      readSlice,
    });
    expect(page.items.map((row) => row.createdAtMs)).toEqual([25, 15]);
    expect(slices.map(({ lowerMs, upperMs }) => [lowerMs, upperMs])).toEqual([
      [30, 32],
      [20, 30],
      [12, 20],
    ]);
  });

  test('visits at most SLICES_MAX empty months a request and goes on from its cursor', async () => {
    const count = SLICES_MAX * 2 + 5;
    const { slices, readSlice } = table([3], 100);
    const walk = { ...everything, months: months(count), limit: 10, readSlice };
    const first = await walkMonths(walk);
    expect(first.items).toEqual([]);
    expect(slices).toHaveLength(SLICES_MAX);
    const second = await walkMonths({ ...walk, cursor: decodeCursor(first.nextCursor ?? '') });
    const third = await walkMonths({ ...walk, cursor: decodeCursor(second.nextCursor ?? '') });
    expect(third).toMatchObject({ items: [{ createdAtMs: 3 }], nextCursor: null });
    expect(slices).toHaveLength(count);
  });

  test('begins no slice once its time is used up, but always reads one', async () => {
    const { slices, readSlice } = table([25, 15, 5], 100);
    let nowMs = 0;
    const slow = (slice: MonthSlice) => {
      nowMs += WALK_MS_MAX + 1;
      return readSlice(slice);
    };
    const walk = { ...everything, months: months(3), limit: 10, readSlice: slow };
    const first = await walkMonths({ ...walk, nowMs: () => nowMs });
    expect(first.items.map((row) => row.createdAtMs)).toEqual([25]);
    expect(slices).toHaveLength(1);
    const cursor = decodeCursor(first.nextCursor ?? '');
    const second = await walkMonths({ ...walk, cursor, nowMs: () => nowMs });
    expect(second.items.map((row) => row.createdAtMs)).toEqual([15]);
  });

  test('goes on within a month where a slice looked at its share and found too little', async () => {
    const times = Array.from({ length: 10 }, (_, n) => n);
    const { slices, readSlice } = table(times, 3, (at) => at === 0);
    const page = await walkMonths({ ...everything, months: months(1), limit: 5, readSlice });
    expect(page.items.map((row) => row.createdAtMs)).toEqual([0]);
    expect(page.nextCursor).toBeNull();
    expect(slices).toHaveLength(4);
  });

  test('of a table without partitions is an empty page', async () => {
    const { readSlice } = table([], 3);
    const page = await walkMonths({ ...everything, months: [], limit: 5, readSlice });
    expect(page).toEqual({ items: [], nextCursor: null });
  });
});
