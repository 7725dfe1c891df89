/** Locks and drops tables of a market, and its schema. */
import type { Database, Query } from '../../kit/database/pool.ts';
import { onlyOf } from '../../kit/database/statement.ts';
import { listTables, type Named, tableOf } from './export-table.ts';

/** Most tables of one database transaction, as each is locked with its indexes. */
export const TABLES_AT_ONCE = 36;
export const OF_MONTH = /^(transactions|scores|labels)_y(\d{4})m(\d{2})$/;

/** Locks tables against everybody, until the end of the database transaction. */
export async function lockTables(query: Query, tables: readonly Named[]): Promise<void> {
  await query({ text: `lock table ${tables.map(tableOf).join(', ')} in access exclusive mode` });
}

export async function dropTables(query: Query, tables: readonly Named[]): Promise<void> {
  await query({ text: `drop table ${tables.map(tableOf).join(', ')}` });
}

/** @param market checked by the configuration ([a-z][a-z0-9_]*), hence safe in SQL */
export async function dropSchema(query: Query, market: string): Promise<void> {
  await query({ text: `drop schema "${market}" cascade` });
}

export const hasSchema = onlyOf<{ has: boolean }, [market: string]>(
  'has-schema',
  'select to_regnamespace($1) is not null as has',
);

/** Drops a market of which nothing is to be kept, some months at a time. */
export async function dropMarket(
  { query }: Pick<Database, 'query'>,
  market: string,
): Promise<void> {
  const months = (await listTables(query, market)).filter(({ name }) => OF_MONTH.test(name));
  while (months.length > 0) await dropTables(query, months.splice(0, TABLES_AT_ONCE));
  await dropSchema(query, market);
}
