/**
 * Reads the slices of one request, each within SLICE_MS_MAX. A slice that is late ends the request, which goes on there by its
 * cursor, with a smaller one. A request that would go on where it began has to get further: then the slice is read once more,
 * smaller, and as long as any statement may take. Beyond that Postgres counts as unavailable, and no cursor leads nowhere.
 */
import { isLate } from '../../kit/database/outage.ts';
import { type Databases, hurry, readFrom } from '../../kit/database/replica/choose-database.ts';
import { type FoundSlice, readSearchSlice } from '../store/search/read-slice.ts';
import type { SearchSlice } from '../store/search/search-slice.ts';
import { ROWS_GROWTH } from './walk.ts';

/**
 * Null: it was late.
 * @param isNeeded the request cannot end before this slice
 */
export type ReadSlice = (slice: SearchSlice, isNeeded: boolean) => Promise<FoundSlice | null>;

export function createSliceReader(databases: Databases): ReadSlice {
  let wasLate = false;
  return async (slice, isNeeded) => {
    if (!wasLate) {
      const found = await readFrom(hurry(databases), slice.upperMs, (database) =>
        orLate(readSearchSlice(database, slice)),
      );
      if (found !== null) return found;
      wasLate = true;
    }
    if (!isNeeded) return null;
    const fewer = { ...slice, examinedMax: Math.floor(slice.examinedMax / ROWS_GROWTH) };
    return await readFrom(databases, slice.upperMs, (database) => readSearchSlice(database, fewer));
  };
}

/** Null in place of an answer that was late. */
export async function orLate<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (error) {
    if (isLate(error)) return null;
    throw error;
  }
}
