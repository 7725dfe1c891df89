/** The months of partitioned tables, and what bounds a statement that reads one of them for a list. */
import type { Database } from '../../../kit/database/pool.ts';
import { type Month, monthStartMs } from '../../../kit/words/month.ts';
import { isCold, isDetached, listMonthTables, type PartitionedTable } from './partitions.ts';

/** Most rows that a slice of a list looks at, as a filter without an index is applied to each. */
export const SLICE_ROWS_EXAMINED_MAX = 10_000;
/** Bound where each row needs a lookup in another table. */
export const JOINED_ROWS_EXAMINED_MAX = 2_000;

export type MonthRange = { readonly fromMs: number; readonly toMs: number };

/** Months that a list may walk, newest first, the detached months, and of the detached months the cold ones, whose rows are in files. */
export async function listWalkedMonths(database: Pick<Database, 'query'>, table: PartitionedTable) {
  const months: Month[] = [];
  const detached: Month[] = [];
  const cold: Month[] = [];
  for (const [month, tables] of await listMonthTables(database.query)) {
    if (isCold(tables)) cold.push(month);
    if (isDetached(tables)) detached.push(month);
    else if (tables.has(table)) months.push(month);
  }
  return { months: toRanges(months), detached: toRanges(detached), cold: toRanges(cold) };
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

/** The parts of ranges between two times. */
export const clipTo = (ranges: readonly MonthRange[], fromMs: number, toMs: number) =>
  ranges
    .map((range) => ({ fromMs: Math.max(range.fromMs, fromMs), toMs: Math.min(range.toMs, toMs) }))
    .filter((range) => range.fromMs < range.toMs);

export const isoTime = (epochMs: number): string => new Date(epochMs).toISOString();

/**
 * A search has no name, as it is planned for its values: a generic plan does not distinguish a merchant with ten transactions
 * from one with a million, and sorts the million (measured).
 */
export type PreparedSearch = { readonly text: string; readonly values: readonly unknown[] };
