/**
 * How lists are read: month by month, newest first, each statement bounded to one partition and to a
 * number of rows looked at. Filters without an index of their own are applied to at most
 * SLICE_ROWS_EXAMINED_MAX rows; where the looking stopped is part of the answer, so that the caller
 * can go on from there.
 */
import type { Position } from '../domain/cursor.ts';
import { type Month, monthStartMs } from '../domain/month.ts';
import { isDetached, listMonthTables, type PartitionedTable } from './partitions.ts';
import type { Database, Query } from './pool.ts';

export const SLICE_ROWS_EXAMINED_MAX = 10_000;
/** Where each row costs a look into another table. */
export const JOINED_ROWS_EXAMINED_MAX = 2_000;

/** Rows with lowerMs <= created_at < upperMs and (created_at, transaction_id) < before; all in one month. */
export type MonthSlice = {
  readonly lowerMs: number;
  readonly upperMs: number;
  readonly before: Position;
  readonly rows: number;
};

/** `reached` is where the reading stopped; null when nothing of the slice is left. */
export type SliceResult<Row> = { readonly rows: Row[]; readonly reached: Position | null };

export type MonthRange = { readonly fromMs: number; readonly toMs: number };

/** Months that a list may walk, newest first, and those that are kept from it. */
export type WalkedMonths = {
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
 * Searches are planned for their values: a plan made once for all cannot tell a merchant with ten
 * transactions from one with a million, and sorts the million (measured). A statement without a name
 * is planned each time, 0.5 ms.
 */
export const UNNAMED = '';

export type PreparedSearch = {
  readonly statement: { readonly name: string; readonly text: string };
  readonly values: readonly unknown[];
};

/** Runs one slice: the page, and where it is under-full although rows were left unexamined, how far it got. */
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
