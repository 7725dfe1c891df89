/** Counts what a search finds, along the index, in whatever order is asked for, within a budget of its own. */
import type { MonthRange } from '../../../core/store/partitions/month-slice.ts';
import { readBoundary } from '../../../core/store/search/read-slice.ts';
import type { SearchFilter } from '../../../core/store/search/search-filter.ts';
import { type SearchSlice, searchSlice } from '../../../core/store/search/search-slice.ts';
import { type Budget, walkRanges } from '../../../core/store/search/walk.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import { leaveOutDays } from './leave-out-days.ts';
import { TOTAL_MAX } from './parameters.ts';
import { readInTime } from './slice-reader.ts';

/** How many rows match on all pages; `more`: `count` is what the request could find. */
export type Total = { readonly count: number; readonly more: boolean };

export async function countMatches(
  databases: Databases,
  budget: Budget,
  filter: SearchFilter,
  ranges: readonly MonthRange[],
): Promise<Total> {
  let counted = 0;
  const stopped = await walkRanges({
    ranges: [...ranges].sort((one, other) => other.fromMs - one.fromMs),
    isDescending: true,
    after: null,
    budget,
    narrow: (left) => leaveOutDays(databases, filter, left, true),
    readSlice: async ({ fromMs, toMs, after }) => {
      const read = await readInTime(databases, toMs, (database) =>
        countSlice(database, {
          filter,
          lowerMs: fromMs,
          upperMs: toMs,
          follows: 'time',
          isDescending: true,
          after: { ...after, value: null },
          examinedMax: budget.rowsMax(),
          rows: TOTAL_MAX + 1 - counted,
        }),
      );
      if (read === null) return { reached: after, isEnough: true };
      budget.noteRows(read.examined);
      counted += read.count;
      return { reached: read.reached, isEnough: counted > TOTAL_MAX };
    },
  });
  return { count: Math.min(counted, TOTAL_MAX), more: counted > TOTAL_MAX || stopped !== null };
}

/** How many match, up to `slice.rows`, and the last row that was looked at. */
async function countSlice({ query }: Pick<Database, 'query'>, slice: SearchSlice) {
  const { page, boundary, examined } = searchSlice(slice);
  const text = `select count(*)::int4 as count from (${page.text}) found`;
  const [row] = await query<{ count: number }>({ text }, page.values);
  return { count: row?.count ?? 0, reached: await readBoundary(query, boundary), examined };
}
