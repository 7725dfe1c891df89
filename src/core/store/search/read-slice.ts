/** Runs one slice of a search. */
import type { Database, Query } from '../../../kit/database/pool.ts';
import { type PreparedSearch, UNNAMED } from '../partitions/month-slice.ts';
import { type Place, type SearchSlice, searchSlice } from './search-slice.ts';

/**
 * `reached` is the last row that was looked at, or one before it where rows have arrived meanwhile: never one before a row that
 * was found in the order of the slice. Null where nothing is left. `examined` is the most rows that it looked at.
 */
export type FoundSlice = {
  readonly rows: readonly Place[];
  readonly reached: Place | null;
  readonly examined: number;
};

type FoundRow = { transaction_id: string; created_at: Date; value: string | null };

export async function readSearchSlice(
  { query }: Pick<Database, 'query'>,
  slice: SearchSlice,
): Promise<FoundSlice> {
  const { page, boundary, examined } = searchSlice(slice);
  const rows = (await query<FoundRow>(page.statement, page.values)).map(toPlace);
  const last = slice.ranked === undefined ? rows.at(-1) : undefined;
  if (last !== undefined && rows.length === slice.rows) return { rows, reached: last, examined };
  const end = await readBoundary(query, boundary);
  const isBefore = end !== null && last !== undefined && isAfter(last, end, slice);
  return { rows, reached: isBefore ? last : end, examined };
}

/** Whether one place comes after another one in the order of the slice. */
function isAfter(one: Place, other: Place, { isDescending }: SearchSlice): boolean {
  const difference = Number(one.value) - Number(other.value);
  const isGreater = difference === 0 ? one.id > other.id : difference > 0;
  return one.id !== other.id && isGreater !== isDescending;
}

/** How many match, up to `slice.rows`. */
export async function countSearchSlice(
  { query }: Pick<Database, 'query'>,
  slice: SearchSlice,
): Promise<Omit<FoundSlice, 'rows'> & { readonly count: number }> {
  const { page, boundary, examined } = searchSlice(slice);
  const statement = {
    name: UNNAMED,
    text: `select count(*)::int4 as count from (${page.statement.text}) found`,
  };
  const [row] = await query<{ count: number }>(statement, page.values);
  return { count: row?.count ?? 0, reached: await readBoundary(query, boundary), examined };
}

/** The row that a slice ends with; null where it is the last of its range. */
export async function readBoundary(
  query: Query,
  boundary: PreparedSearch | null,
): Promise<Place | null> {
  if (boundary === null) return null;
  const [row] = await query<FoundRow>(boundary.statement, boundary.values);
  return row === undefined ? null : toPlace(row);
}

function toPlace(row: FoundRow): Place {
  return { atMs: row.created_at.getTime(), id: row.transaction_id, value: row.value };
}
