/**
 * Reads the slices of one request, each within SLICE_MS_MAX. A slice that is late ends the request, whose cursor goes on there
 * with a smaller slice.
 */

import type { MonthRange } from '../../../core/store/partitions/month-slice.ts';
import { type FoundSlice, readSearchSlice } from '../../../core/store/search/read-slice.ts';
import type { SearchFilter } from '../../../core/store/search/search-filter.ts';
import { isIndexed, type SearchSlice } from '../../../core/store/search/search-slice.ts';
import { type Budget, ROWS_GROWTH } from '../../../core/store/search/walk.ts';
import { isLate } from '../../../kit/database/outage.ts';
import type { Database } from '../../../kit/database/pool.ts';
import {
  type Databases,
  readFrom,
  withTimeout,
} from '../../../kit/database/replica/choose-database.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { isTallied, listDaysWith } from '../store/days-with.ts';

/**
 * Null: the slice was late.
 * @param isNeeded the request would go on where it began: the slice is read once more, smaller, as long as any statement may
 *   take, and beyond that Postgres counts as unavailable
 */
export type ReadSlice = (slice: SearchSlice, isNeeded: boolean) => Promise<FoundSlice | null>;

export function createSliceReader(databases: Databases, { noteRows }: Budget): ReadSlice {
  let wasLate = false;
  return async (slice, isNeeded) => {
    const newestMs = slice.upperMs;
    let found = wasLate
      ? null
      : await readInTime(databases, newestMs, (database) => readSearchSlice(database, slice));
    wasLate = found === null;
    if (wasLate && isNeeded) {
      const fewer = { ...slice, examinedMax: Math.floor(slice.examinedMax / ROWS_GROWTH) };
      found = await readFrom(databases, newestMs, (database) => readSearchSlice(database, fewer));
    }
    if (found !== null) noteRows(found.examined);
    return found;
  };
}

/** Null in place of an answer that took longer than SLICE_MS_MAX. */
export async function readInTime<Answer>(
  databases: Databases,
  newestMs: number,
  read: (database: Database) => Promise<Answer>,
): Promise<Answer | null> {
  return await readFrom(withTimeout(databases), newestMs, async (database) => {
    try {
      return await read(database);
    } catch (error) {
      if (isLate(error)) return null;
      throw error;
    }
  });
}

/** Leaves out the days of which the tallies count nothing that matches; none where the tallies are late. */
export async function leaveOutDays(
  databases: Databases,
  filter: SearchFilter,
  ranges: readonly MonthRange[],
  isDescending: boolean,
): Promise<readonly MonthRange[]> {
  if (isIndexed(filter) || ranges.length === 0 || !isTallied(filter)) return ranges;
  const fromMs = Math.min(...ranges.map((range) => range.fromMs));
  const toMs = Math.max(...ranges.map((range) => range.toMs));
  const days = await readInTime(databases, toMs, (database) =>
    listDaysWith(database, filter, fromMs, toMs),
  );
  return days === null ? ranges : withinDays(ranges, days, DAY_MS, isDescending);
}

/** The parts of ranges that lie in some days, in the order of the ranges; days in a row are one part. */
function withinDays(
  ranges: readonly MonthRange[],
  days: readonly number[],
  dayMs: number,
  isDescending: boolean,
): MonthRange[] {
  const runs: { fromMs: number; toMs: number }[] = [];
  for (const fromMs of days) {
    const last = runs.at(-1);
    if (last?.toMs === fromMs) last.toMs += dayMs;
    else runs.push({ fromMs, toMs: fromMs + dayMs });
  }
  if (isDescending) runs.reverse();
  return ranges.flatMap((range) =>
    runs.flatMap((run) => {
      const fromMs = Math.max(range.fromMs, run.fromMs);
      const toMs = Math.min(range.toMs, run.toMs);
      return fromMs < toMs ? [{ fromMs, toMs }] : [];
    }),
  );
}
