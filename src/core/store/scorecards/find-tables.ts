/** Finds tables of the day: which are in use, and each by its serial. A table never changes. */
import type { Query } from '../../../kit/database/pool.ts';
import { anyOf, firstOf, rowsOf } from '../../../kit/database/statement.ts';
import type { StoredTable } from '../../score/scorecard/day-table.ts';
import { FORM } from '../../score/scorecard/table-bytes.ts';
import { IN_USE, REFUSED, readTable, TAKEN } from './scorecards.ts';

/** A day since 1970, and the serial of its table. */
export type TableDay = { readonly day: number; readonly serial: number };

/** Changes with each table that comes into use or leaves it. */
export const TABLES_MARK = `(select concat_ws(' ', count(*), max(serial), case when not bool_and(is_taken) then array(${TAKEN}) end, array(${REFUSED}))
    from market.scorecards)`;

/** The tables in use that this version reads, the first day first. A table that is not in use stays readable by its serial. */
export const listTableDays = rowsOf<TableDay, []>(
  'list-scorecard-days',
  `select day - date '1970-01-01' as day, serial from market.scorecards
    where form <= ${FORM} and ${IN_USE} order by day`,
);

/** The table that people name `scorecard@DAY` among models. */
export const findNamed = firstOf<{ serial: number }, [name: string]>(
  'find-named-scorecard',
  `select serial from market.scorecards where 'scorecard@' || to_char(day, 'YYYY-MM-DD') = $1`,
);

/** A sentence for people about tables that only a newer version reads; undefined where there are none. */
export const findNewer = firstOf<{ said: string }, []>(
  'find-newer-scorecard',
  `select format('the table of %s has form %s and this version reads ${FORM}: older tables judge here until the upgrade',
                to_char(day, 'YYYY-MM-DD'), form) as said
     from market.scorecards where form > ${FORM} order by day desc limit 1`,
);

/** Whether there are scores of two days ago, and no younger table. */
export const areTablesLate = anyOf(
  'find-late-scorecards',
  `from (select day from market.daily_tallies union all select day from market.daily_increments) scored
    where day < current_date - 1 and not exists (select from market.scorecards where day >= current_date - 1)`,
);

/** Tables that stay in memory. Fewer: a past of many days reads them again; more: 0.2 MiB each. */
const TABLES_MAX = 32;

export type FindTable = (serial: number) => Promise<StoredTable | undefined>;

/** The tables that scores name, by serial. */
export async function findTables(
  find: FindTable,
  scores: readonly { readonly scorecard: number | null }[],
): Promise<Map<number | null, StoredTable | null | undefined>> {
  const found = new Map<number | null, StoredTable | null | undefined>([[null, null]]);
  for (const serial of new Set(scores.flatMap(({ scorecard }) => scorecard ?? []))) {
    found.set(serial, await find(serial));
  }
  return found;
}

/** Null: the score names no table; undefined: the store lacks the table. */
export const findTableOf = async (query: Query, serial: number | null) =>
  serial === null ? null : await readTable(query, serial);

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
