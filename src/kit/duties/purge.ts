/**
 * Removes rows whose retention is over, a bounded number a statement. Ages are by Postgres' clock, as that of
 * a worker may be wrong.
 */
import type { Config } from '../config/config.ts';
import type { Query, Statement } from '../database/pool.ts';

/**
 * Rows that one statement examines: each ends far within the statement timeout, and other work runs between.
 */
export const PURGE_STEP_ROWS_MAX = 2000;

export type Purge = {
  readonly table: string;
  readonly statement: Statement;
  /** Removes a step's rows, from the oldest on where `after` is absent. */
  readonly step: (query: Query, config: Config, after?: Position) => Promise<PurgeStep>;
};
export type PurgeStep = {
  readonly rows: number;
  /** Start of the next step; null after the last. */
  readonly next: Position | null;
};
/** The last examined row of a walk over dead letters: some of them stay. */
export type Position = { readonly closedAt: Date; readonly deadLetterId: string };

export const START: Position = {
  closedAt: new Date(0),
  deadLetterId: '00000000-0000-0000-0000-000000000000',
};
/** $1 is the retention in days. */
export const OLD = "now() - $1::integer * interval '1 day'";

/** @param which finds the rows to remove by an index, the oldest first */
export function purgeRows(
  table: string,
  which: string,
  values: (config: Config) => readonly unknown[] = () => [],
): Purge {
  const text = `with gone as (
             delete from market.${table} where ctid = any (array(select ctid ${which}))
             returning 1)
           select count(*)::int4 as rows from gone`;
  return purgeBy(table, text, values);
}

/** @param text removes up to PURGE_STEP_ROWS_MAX rows, the oldest first, and returns how many as `rows` */
export function purgeBy(
  table: string,
  text: string,
  values: (config: Config) => readonly unknown[] = () => [],
): Purge {
  const statement: Statement = { name: `purge-${table.replaceAll('_', '-')}`, text };
  return {
    table,
    statement,
    async step(query, config) {
      const [row] = await query<{ rows: number }>(statement, values(config));
      const rows = row?.rows ?? 0;
      return { rows, next: rows < PURGE_STEP_ROWS_MAX ? null : START };
    },
  };
}

/** The oldest rows with a column before a time. */
export const rowsBefore = (table: string, column: string, time: string) =>
  `from market.${table} where ${column} < ${time} order by ${column} limit ${PURGE_STEP_ROWS_MAX}`;
