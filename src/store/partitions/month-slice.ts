/**
 * Reads lists month by month, newest first, each statement bounded to one partition and to a number of examined
 * rows. Filters without an index are applied to at most SLICE_ROWS_EXAMINED_MAX rows; the answer includes where
 * the reading stopped, so that the caller can continue there.
 */
import type { Position } from '../../domain/cursor.ts';
import { type Month, monthStartMs } from '../../domain/month.ts';
import type { Database, Query } from '../database/pool.ts';
import { isDetached, listMonthTables, type PartitionedTable } from './partitions.ts';

export const SLICE_ROWS_EXAMINED_MAX = 10_000;
/** Bound where each row needs a lookup in another table. */
export const JOINED_ROWS_EXAMINED_MAX = 2_000;

/** Rows with lowerMs <= created_at < upperMs and (created_at, transaction_id) < before; all in one month. */
export type MonthSlice = {
  readonly lowerMs: number;
  readonly upperMs: number;
  readonly before: Position;
  readonly rows: number;
};

/** `reached` is where the reading stopped; null when the slice is exhausted. */
export type SliceResult<Row> = { readonly rows: Row[]; readonly reached: Position | null };

export type MonthRange = { readonly fromMs: number; readonly toMs: number };

/** Months that a list may walk, newest first, and those that are detached. */
type WalkedMonths = {
  readonly months: MonthRange[];
  readonly detached: MonthRange[];
};

export async function listWalkedMonths(
  database: Pick<Database, 'query'>,
  table: PartitionedTable,
): Promise<WalkedMonths> {
  const [months, detached]: [Month[], Month[]] = [[], []];
  for (const [month, tables] of await listMonthTables(database.query)) {
    if (isDetached(tables)) detached.push(month);
    else if (tables.has(table)) months.push(month);
  }
  return { months: toRanges(months), detached: toRanges(detached) };
}

/** Months that a partitioned table has a partition for, newest first. */
export async function listMonths(
  database: Pick<Database, 'query'>,
  table: PartitionedTable,
): Promise<MonthRange[]> {
  return (await listWalkedMonths(database, table)).months;
}

function toRanges(months: Month[]): MonthRange[] {
  return months
    .sort((a, b) => b - a)
    .map((month) => ({ fromMs: monthStartMs(month), toMs: monthStartMs(month + 1) }));
}

export const isoTime = (epochMs: number): string => new Date(epochMs).toISOString();

/**
 * Searches are planned for their values: a generic plan does not distinguish a merchant with ten transactions
 * from one with a million, and sorts the million (measured). A statement without a name is planned each time,
 * 0.5 ms.
 */
export const UNNAMED = '';

export type PreparedSearch = {
  readonly statement: { readonly name: string; readonly text: string };
  readonly values: readonly unknown[];
};

/**
 * Runs one slice: returns the page, and how far it got where the page is under-full although rows were left
 * unexamined.
 */
export async function readSlice<Row extends object>(
  query: Query,
  search: { page: PreparedSearch; boundary: PreparedSearch | null },
  slice: MonthSlice,
  positionOf: (row: Row) => Position,
): Promise<SliceResult<Row>> {
  const rows = await query<Row>(search.page.statement, search.page.values);
  const last = rows.at(-1);
  if (last !== undefined && rows.length === slice.rows) return { rows, reached: positionOf(last) };
  if (search.boundary === null) return { rows, reached: null };
  const [boundary] = await query<{ transaction_id: string; created_at: Date }>(
    search.boundary.statement,
    search.boundary.values,
  );
  if (boundary === undefined) return { rows, reached: null };
  return { rows, reached: { atMs: boundary.created_at.getTime(), id: boundary.transaction_id } };
}
