/** Leaves out the days of which the tallies count nothing that matches; none where the tallies are late. */
import { type Databases, hurry, readFrom } from '../../kit/database/replica/choose-database.ts';
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import type { MonthRange } from '../store/partitions/month-slice.ts';
import { isTallied, listDaysWith } from '../store/search/days-with.ts';
import type { SearchFilter } from '../store/search/search-filter.ts';
import { isIndexed } from '../store/search/search-slice.ts';
import { orLate } from './slice-reader.ts';
import { withinDays } from './walk.ts';

export async function leaveOutDays(
  databases: Databases,
  filter: SearchFilter,
  ranges: readonly MonthRange[],
  isDescending: boolean,
): Promise<readonly MonthRange[]> {
  if (isIndexed(filter) || ranges.length === 0 || !isTallied(filter)) return ranges;
  const fromMs = Math.min(...ranges.map((range) => range.fromMs));
  const toMs = Math.max(...ranges.map((range) => range.toMs));
  const days = await readFrom(hurry(databases), toMs, (database) =>
    orLate(listDaysWith(database, filter, fromMs, toMs)),
  );
  return days === null ? ranges : withinDays(ranges, days, DAY_MS, isDescending);
}
