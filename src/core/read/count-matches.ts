/** Counts what a search finds, along the index, in whatever order is asked for, within a budget of its own. */
import { type Databases, hurry, readFrom } from '../../kit/database/replica/choose-database.ts';
import type { MonthRange } from '../store/partitions/month-slice.ts';
import { countSearchSlice } from '../store/search/read-slice.ts';
import type { SearchFilter } from '../store/search/search-filter.ts';
import type { SearchSlice } from '../store/search/search-slice.ts';
import { leaveOutDays } from './leave-out-days.ts';
import { TOTAL_MAX } from './search-parameters.ts';
import { orLate } from './slice-reader.ts';
import { type Budget, walkRanges } from './walk.ts';

export async function countMatches(
  databases: Databases,
  budget: Budget,
  filter: SearchFilter,
  ranges: readonly MonthRange[],
): Promise<{ readonly count: number; readonly more: boolean }> {
  let counted = 0;
  const stopped = await walkRanges({
    ranges: [...ranges].sort((one, other) => other.fromMs - one.fromMs),
    ...{ isDescending: true, after: null, budget },
    narrow: (left) => leaveOutDays(databases, filter, left, true),
    readSlice: async ({ fromMs, toMs, after }) => {
      const slice: SearchSlice = {
        ...{ filter, lowerMs: fromMs, upperMs: toMs, follows: 'time', isDescending: true },
        ...{ after: { ...after, value: null }, until: undefined, ranked: undefined },
        ...{ examinedMax: budget.rowsMax(), rows: TOTAL_MAX + 1 - counted },
      };
      const read = await readFrom(hurry(databases), toMs, (database) =>
        orLate(countSearchSlice(database, slice)),
      );
      if (read === null) return { reached: after, isEnough: true };
      budget.noteRows(read.examined);
      counted += read.count;
      return { reached: read.reached, isEnough: counted > TOTAL_MAX };
    },
  });
  const isMore = counted > TOTAL_MAX || stopped !== null;
  return { count: Math.min(counted, TOTAL_MAX), more: isMore };
}
