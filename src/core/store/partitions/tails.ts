/**
 * The newest rows of a table of months, found without an index: rows are only ever appended to the table of their month, so the
 * newest are in the last blocks of the newest tables.
 */
import type { Database, Statement } from '../../../kit/database/pool.ts';
import { monthOf } from '../../../kit/words/month.ts';
import { monthBounds, partitionName } from './partitions.ts';

/** Rows of older months are in no tail. Longer: a tail reads more than three tables. */
const TAIL_REACH_MS = 31 * 86_400_000;

const sizesStatement: Statement = {
  name: 'tail-table-sizes',
  text: `
    select name, (pg_relation_size(to_regclass('market.' || name)) / current_setting('block_size')::int8)::int4 as blocks
      from unnest($1::text[]) as name where to_regclass('market.' || name) is not null`,
};

/** SQL of the time from which on rows of tails were created. */
export const startOfTails = (nowMs: number) => monthBounds(monthOf(nowMs - TAIL_REACH_MS)).from;

export type Tail = {
  /** Table of one month. */
  readonly name: string;
  /** Block and row that the tail begins at: `ctid >= from`. */
  readonly from: string;
  /** Whether that is every row of the table. */
  readonly isWhole: boolean;
};

/** @param blocksMax blocks read from the end of each table, mostly of 8 KiB */
export async function findTails(
  { query }: Pick<Database, 'query'>,
  table: 'scores' | 'transactions',
  nowMs: number,
  blocksMax: number,
): Promise<Tail[]> {
  const [from, to] = [monthOf(nowMs - TAIL_REACH_MS), monthOf(nowMs)];
  const names = Array.from({ length: to - from + 1 }, (_, nth) => partitionName(table, from + nth));
  const sizes = await query<{ name: string; blocks: number }>(sizesStatement, [names]);
  return sizes.map(({ name, blocks }) => ({
    name,
    from: `(${Math.max(0, blocks - blocksMax)},0)`,
    isWhole: blocks <= blocksMax,
  }));
}

/**
 * The rows of tails as a query with these columns and `table_name`. A market without a month has no row.
 * @param first number of the parameter that has the `from` of the first tail
 */
export function tailRows(
  table: 'scores' | 'transactions',
  tails: readonly Tail[],
  columns: string,
  first: number,
): string {
  const none = `select ${columns}, '' as table_name from market.${table} where false`;
  const each = tails.map(
    ({ name }, nth) =>
      `select ${columns}, '${name}' as table_name from market.${name} where ctid >= $${first + nth}::tid`,
  );
  return [none, ...each].join(' union all ');
}
