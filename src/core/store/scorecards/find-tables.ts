/** Tables of the day as processes find them: which there are, and each by its serial. A table never changes. */
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import type { StoredTable } from '../../score/scorecard/day-table.ts';
import { readTable } from './scorecards.ts';

/** A day since 1970, and the serial of its table. */
export type TableDay = { readonly day: number; readonly serial: number };

/** Changes with each table. */
export const TABLES_MARK =
  "(select count(*) || ' ' || coalesce(max(serial), 0) from market.scorecards)";

/** All tables, the first day first. */
export const listTableDays = rowsOf<TableDay, []>(
  'list-scorecard-days',
  `select day - date '1970-01-01' as day, serial from market.scorecards order by day`,
);

/** Tables that stay in memory. Fewer: a past of many days reads them again; more: 0.2 MiB each. */
const TABLES_MAX = 32;

export type FindTable = (serial: number) => Promise<StoredTable | undefined>;

/** Finds tables by serial; the TABLES_MAX that were asked for last stay in memory. */
export function createFindTable(query: Query): FindTable {
  const known = new Map<number, Promise<StoredTable | undefined>>();
  return (serial) => {
    const found = known.get(serial) ?? readTable(query, serial);
    known.delete(serial);
    known.set(serial, found);
    const [oldest] = known.keys();
    if (known.size > TABLES_MAX && oldest !== undefined) known.delete(oldest);
    // A reading that failed is made again.
    found.catch(() => known.delete(serial));
    return found;
  };
}
