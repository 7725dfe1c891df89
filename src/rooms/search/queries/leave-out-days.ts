/** Leaves out the days of which the tallies count nothing that matches; none where the tallies are late. */
import type { MonthRange } from '../../../core/store/partitions/month-slice.ts';
import type { SearchFilter } from '../../../core/store/search/search-filter.ts';
import { isIndexed } from '../../../core/store/search/search-slice.ts';
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import { DAY_MS } from '../../../kit/words/utc-bucket.ts';
import { isTallied, listDaysWith } from '../store/days-with.ts';
import { readInTime } from './slice-reader.ts';

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
export function withinDays(
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
