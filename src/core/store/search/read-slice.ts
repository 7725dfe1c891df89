/** Runs one slice of a search. */
import type { Database, Query } from '../../../kit/database/pool.ts';
import type { PreparedSearch } from '../partitions/month-slice.ts';
import { type RowPosition, type SearchSlice, searchSlice } from './search-slice.ts';

export type FoundSlice = {
  readonly rows: readonly RowPosition[];
  /**
   * The last row that was looked at, or one before it where rows have arrived meanwhile: never one before a row that was found
   * in the order of the slice. Null where nothing is left.
   */
  readonly reached: RowPosition | null;
  /** The most rows that were looked at. */
  readonly examined: number;
};

type FoundRow = { transaction_id: string; created_at: Date; value: string | null };

export async function readSearchSlice(
  { query }: Pick<Database, 'query'>,
  slice: SearchSlice,
): Promise<FoundSlice> {
  const { page, boundary, examined } = searchSlice(slice);
  const rows = (await query<FoundRow>(page, page.values)).map(toPosition);
  const last = slice.ranked === undefined ? rows.at(-1) : undefined;
  if (last !== undefined && rows.length === slice.rows) return { rows, reached: last, examined };
  const end = await readBoundary(query, boundary);
  const isBefore = end !== null && last !== undefined && isAfter(last, end, slice);
  return { rows, reached: isBefore ? last : end, examined };
}

/** Whether one row comes after another one in the order of the slice. */
function isAfter(left: RowPosition, right: RowPosition, { isDescending }: SearchSlice): boolean {
  const difference = Number(left.value) - Number(right.value);
  const isGreater = difference === 0 ? left.id > right.id : difference > 0;
  return left.id !== right.id && isGreater !== isDescending;
}

/** The row that a slice ends with; null where it is the last of its range. */
export async function readBoundary(
  query: Query,
  boundary: PreparedSearch | null,
): Promise<RowPosition | null> {
  if (boundary === null) return null;
  const [row] = await query<FoundRow>(boundary, boundary.values);
  return row === undefined ? null : toPosition(row);
}

function toPosition(row: FoundRow): RowPosition {
  return { atMs: row.created_at.getTime(), id: row.transaction_id, value: row.value };
}
