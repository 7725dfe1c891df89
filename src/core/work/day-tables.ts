/** The tables by which a worker judges: of each transaction the newest that it reads, up to the transaction's day. */
import type { Changes } from '../../kit/database/follow-changes.ts';
import type { Query } from '../../kit/database/pool.ts';
import type { Log } from '../../kit/metrics/log.ts';
import { Failure, toError } from '../../kit/words/failure.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import { type StoredTable, textOfDay } from '../score/scorecard/day-table.ts';
import { whyDistrust } from '../score/scorecard/golden.ts';
import { tableName } from '../score/scorecard/judge-by-table.ts';
import {
  createFindTable,
  type FindTable,
  findNewer,
  findTableOf,
  listTableDays,
  TABLES_MARK,
  type TableDay,
} from '../store/scorecards/find-tables.ts';
import type { refuseTable } from '../store/scorecards/refuse-table.ts';

/** A table for each time, null before the first table. Throws a Failure. */
export type TablesOf = (timesMs: readonly number[]) => Promise<readonly (StoredTable | null)[]>;

/**
 * Nobody waits for a table that is being built; a batch waits for the bytes of tables that it is the first to need. A table that
 * does not prove itself here is refused, and a batch that needs the table is read again.
 */
export function watchTables(
  query: Query,
  changes: Pick<Changes, 'follow'>,
  log: Pick<Log, 'warn'>,
  refuse: ReturnType<typeof refuseTable>,
): TablesOf {
  const find = createFindTable(query);
  const proven = new WeakSet<StoredTable>();
  const { fresh } = changes.follow({
    name: 'scorecards',
    mark: TABLES_MARK,
    load: async () => {
      const newer = await findNewer(query);
      if (newer !== undefined) log.warn(newer.said);
      return await listTableDays(query);
    },
  });
  return async (timesMs) => {
    const tables = await fresh();
    if (tables.length === 0) return timesMs.map(() => null);
    const serials = timesMs.map((ms) => serialFor(tables, Math.floor(ms / DAY_MS)));
    const found = new Map<number | null, StoredTable | null>([[null, null]]);
    const asked = new Set(serials);
    for (const table of tables.filter(({ serial }) => asked.has(serial))) {
      found.set(table.serial, await findProven(find, proven, table, refuse));
    }
    return serials.map((serial) => found.get(serial) ?? null);
  };
}

/** Names of the tables among these, each once. */
export const namesOf = (tables: readonly (StoredTable | null)[]): string[] =>
  [...new Set(tables)].flatMap((stored) => (stored === null ? [] : tableName(stored.table)));

async function findProven(
  find: FindTable,
  proven: WeakSet<StoredTable>,
  { day, serial }: TableDay,
  refuse: ReturnType<typeof refuseTable>,
): Promise<StoredTable> {
  try {
    const stored = await find(serial);
    if (stored === undefined) throw new Error(`the table ${serial} is gone`);
    const why = proven.has(stored) ? undefined : whyDistrust(stored);
    if (why !== undefined) throw new Error(why);
    proven.add(stored);
    return stored;
  } catch (error) {
    if (error instanceof Failure && error.code !== 'SCORECARD_CORRUPT') throw error;
    const why = toError(error).message;
    await refuse(day, why);
    const said = `the table of ${textOfDay(day)} is refused: ${why}`;
    throw new Failure('unavailable', 'SCORECARD_CORRUPT', said);
  }
}

/** Searches from the end, as most payments are of the last day. @param tables the first day first */
const serialFor = (tables: readonly TableDay[], day: number): number | null =>
  tables.findLast((table) => table.day <= day)?.serial ?? null;

/** The table by which a worker would judge a payment of the time; null before the first. */
export async function findTableAt(query: Query, ms: number): Promise<StoredTable | null> {
  const serial = serialFor(await listTableDays(query), Math.floor(ms / DAY_MS));
  return (await findTableOf(query, serial)) ?? null;
}
