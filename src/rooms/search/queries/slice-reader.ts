/**
 * Reads the slices of one request, each within SLICE_MS_MAX. A slice that is late ends the request, whose cursor goes on there
 * with a smaller slice.
 */
import { type FoundSlice, readSearchSlice } from '../../../core/store/search/read-slice.ts';
import type { SearchSlice } from '../../../core/store/search/search-slice.ts';
import { type Budget, ROWS_GROWTH } from '../../../core/store/search/walk.ts';
import { isLate } from '../../../kit/database/outage.ts';
import type { Database } from '../../../kit/database/pool.ts';
import {
  type Databases,
  readFrom,
  withTimeout,
} from '../../../kit/database/replica/choose-database.ts';

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
