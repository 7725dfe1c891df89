/**
 * Monthly partitions of transactions, scores and labels. Maintenance makes them ahead of time, and ingest on
 * demand; both take one advisory lock, so two makers never clash. A partition is built beside its parent and
 * attached, which takes no lock that readers or writers would wait for.
 *
 * A month is detached where a table has a partition's name and no parent, or is cold, where market.archived_months says that its
 * rows are in files. Such a month takes no rows and is never made a second time.
 * detach-months.ts takes months off and puts them back.
 */
import { recordChange } from '../../../kit/audit/audit-log.ts';
import { PARTITIONED_TABLES } from '../../../kit/database/market-schema.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import {
  MONTH_DETACHED,
  type Month,
  monthOf,
  monthStartMs,
  monthText,
  type NewMonths,
  type RefusedMonths,
} from '../../../kit/words/month.ts';
import { type Actor, engineOf } from '../../../kit/words/principal.ts';

export type PartitionedTable = (typeof PARTITIONED_TABLES)[number];

/** Months made ahead of now; `risk doctor` warns of fewer. */
export const MONTHS_AHEAD = 2;

/** Rows inserted before a partition is vacuumed, so that index-only scans and freezing keep up. */
const VACUUM_INSERT_THRESHOLD_ROWS = 200_000;
/** First key of the advisory lock, a constant that nothing else in the database uses; the second key is the market's. */
const PARTITION_LOCK = 7_212_001;

export function partitionName(table: PartitionedTable, month: Month): string {
  const year = String(Math.floor(month / 12)).padStart(4, '0');
  return `${table}_y${year}m${String((month % 12) + 1).padStart(2, '0')}`;
}

/**
 * `detaching`: a concurrent detach was interrupted, and new statements no longer see the partition. `cold`: the rows are in files,
 * and the table is dropped.
 */
export type PartitionState = 'attached' | 'detaching' | 'detached' | 'cold';
/** The tables of one month that exist. */
export type MonthTables = ReadonlyMap<PartitionedTable, PartitionState>;

// The order of names is that of bytes, so each pattern is a range of the index on names.
const named = PARTITIONED_TABLES.map((table) => `c.relname ~ '^${table}_y\\d{4}m\\d{2}$'`);
const cold = `
  select name, 'cold' from market.archived_months a,
         lateral (select p || '_y' || replace(a.month, '-', 'm') as name from unnest(array[${PARTITIONED_TABLES.map((table) => `'${table}'`).join(', ')}]) p) of_month
   where a.step = 'cold'`;
const selectTables = (condition: string, ofCold = 'true') => `
  select c.relname as name,
         case when i.inhrelid is null then 'detached' when i.inhdetachpending then 'detaching' else 'attached' end as state
    from pg_class c
    left join pg_inherits i on i.inhrelid = c.oid
     and i.inhparent = any (array[${PARTITIONED_TABLES.map((table) => `to_regclass('market.${table}')`).join(', ')}])
   where c.relnamespace = (select relnamespace from pg_class where oid = to_regclass('market.transactions'))
     and c.relkind = 'r' and (${condition})
  union all ${cold} and ${ofCold}`;

type TableRow = { readonly name: string; readonly state: PartitionState };
const listTables = rowsOf<TableRow>('list-month-tables', selectTables(named.join(' or ')));
const findTables = rowsOf<TableRow, [names: readonly string[]]>(
  'find-month-tables',
  selectTables('c.relname = any ($1::name[])', 'name = any ($1::text[])'),
);

/** All months that have a table, attached or not. */
export async function listMonthTables(query: Query): Promise<Map<Month, MonthTables>> {
  return byMonth(await listTables(query));
}

/** Finds which of these months have a table. */
export async function findMonthTables(
  query: Query,
  months: readonly Month[],
): Promise<Map<Month, MonthTables>> {
  const names = months.flatMap((month) =>
    PARTITIONED_TABLES.map((table) => partitionName(table, month)),
  );
  return byMonth(await findTables(query, names));
}

/** The tables of a month. @throws Failure where the market has no such month */
export async function requireMonth(query: Query, month: Month): Promise<MonthTables> {
  const tables = (await findMonthTables(query, [month])).get(month);
  if (tables !== undefined) return tables;
  const why = `${monthText(month)} has no partitions: the month was dropped, or never had a transaction`;
  throw new Failure('not-found', 'MONTH_UNKNOWN', why);
}

function byMonth(rows: readonly TableRow[]): Map<Month, MonthTables> {
  const months = new Map<Month, Map<PartitionedTable, PartitionState>>();
  for (const { name, state } of rows) {
    const match = /^([a-z]+)_y(\d{4})m(\d{2})$/.exec(name);
    const table = PARTITIONED_TABLES.find((known) => known === match?.[1]);
    if (match === null || table === undefined) continue;
    const month = Number(match[2]) * 12 + Number(match[3]) - 1;
    months.set(month, (months.get(month) ?? new Map()).set(table, state));
  }
  return months;
}

/** A single detached table suffices: the tables of a month belong together. */
export function isDetached(tables: MonthTables | undefined): boolean {
  return tables !== undefined && [...tables.values()].some((state) => state !== 'attached');
}

/** Whether the rows of the month are in files alone. */
export function isCold(tables: MonthTables | undefined): boolean {
  return tables !== undefined && [...tables.values()].includes('cold');
}

/** The detached ones among the months of these times. */
export async function findDetachedMonths(
  query: Query,
  timesMs: Iterable<number>,
): Promise<Set<Month>> {
  const months = new Set(Array.from(timesMs, monthOf));
  if (months.size === 0) return months;
  const tables = await findMonthTables(query, [...months]);
  return new Set([...months].filter((month) => isDetached(tables.get(month))));
}

/** Refuses to answer for an id without a row in an attached month, as its month may be detached. */
export async function refuseDetached(
  { query }: Pick<Database, 'query'>,
  createdAtMs: number,
): Promise<void> {
  const month = monthOf(createdAtMs);
  const tables = (await findMonthTables(query, [month])).get(month);
  if (!isDetached(tables)) return;
  const text = monthText(month);
  const [state, restore] = isCold(tables)
    ? ['cold', `risk archive restore ${text}`]
    : ['detached', `risk partitions attach ${text}`];
  const detail = `${text}, the month of this transaction, is ${state}: an operator restores it by \`${restore}\``;
  throw new Failure('not-found', MONTH_DETACHED, detail);
}

type Writes = Pick<Database, 'query' | 'transaction'>;

/** Makes the partitions of these months that do not exist yet; returns the names of those made. */
export async function ensurePartitions(
  database: Writes,
  months: Iterable<Month>,
  by: Actor = MAKER,
): Promise<string[]> {
  return (await makeMonths(database, months, unbounded(), by)).made;
}

/** Maker on record of months that the engine makes, ahead of time or for an arriving transaction. */
const MAKER = engineOf('months');

const unbounded = (): NewMonths => ({ left: Number.POSITIVE_INFINITY });

/** Makes all missing months, or none where they are more than may be made. */
async function makeMonths(
  database: Writes,
  months: Iterable<Month>,
  newMonths: NewMonths,
  by: Actor,
): Promise<RefusedMonths & { readonly made: string[] }> {
  const wanted = [...new Set(months)].sort((a, b) => a - b);
  const tables = await findMonthTables(database.query, wanted);
  const detached = new Set(wanted.filter((month) => isDetached(tables.get(month))));
  const missing = wanted.filter(
    (month) => !detached.has(month) && tables.get(month)?.size !== PARTITIONED_TABLES.length,
  );
  if (missing.length > newMonths.left) return { detached, tooMany: new Set(missing), made: [] };
  if (missing.length === 0) return { detached, tooMany: new Set(), made: [] };
  const made = await database.transaction((query) => makeMissing(query, missing, by));
  newMonths.left -= missing.length;
  return { detached, tooMany: new Set(), made };
}

async function makeMissing(query: Query, months: readonly Month[], by: Actor): Promise<string[]> {
  await lockPartitions(query);
  // Another maker may have been first.
  const existing = await findMonthTables(query, months);
  const made: string[] = [];
  const monthsMade = new Set<Month>();
  for (const month of months) {
    if (isDetached(existing.get(month))) continue;
    for (const table of PARTITIONED_TABLES) {
      if (existing.get(month)?.has(table) === true) continue;
      made.push(await makePartition(query, table, month));
      monthsMade.add(month);
    }
  }
  if (made.length === 0) return made;
  await recordChange(query, by, {
    action: 'month.create',
    subject: [...monthsMade].map(monthText).join(' '),
    before: null,
    after: { partitions: made },
  });
  return made;
}

/** Keeps others from making, attaching or dropping a month until the end of the database transaction. */
export const lockPartitions = rowsOf(
  'lock-partitions',
  `select pg_advisory_xact_lock(${PARTITION_LOCK}, 'market.transactions'::regclass::oid::int4)`,
);

/** Tables and indexes of all attached months beside the locks that the server has room for. */
export const countMonthLocks = onlyOf<{ months: number; relations: number; slots: number }>(
  'count-month-locks',
  `select count(*)::int4 as relations, (count(*) filter (where relkind = 'r'))::int4 / ${PARTITIONED_TABLES.length} as months,
          current_setting('max_locks_per_transaction')::int4 * (current_setting('max_connections')::int4 + current_setting('max_prepared_transactions')::int4) as slots
     from pg_class where relispartition and relname ~ '_y\\d{4}m\\d{2}'
      and relnamespace = (select relnamespace from pg_class where oid = to_regclass('market.transactions'))`,
);

/** Bounds of a month's partitions, as SQL. */
export function monthBounds(month: Month): { from: string; to: string } {
  const iso = (epochMs: number) => `'${new Date(epochMs).toISOString()}'`;
  return { from: iso(monthStartMs(month)), to: iso(monthStartMs(month + 1)) };
}

/** Names come from partitionName alone, never from input, so they are safe in DDL. @param fill runs before the table has indexes */
export async function makePartition(
  query: Query,
  table: PartitionedTable,
  month: Month,
  fill?: () => Promise<unknown>,
): Promise<string> {
  const name = partitionName(table, month);
  const { from, to } = monthBounds(month);
  await buildTable(query, table, month);
  await fill?.();
  const ddl = [
    `alter table market.${name} add constraint ${name}_range check (created_at >= ${from} and created_at < ${to})`,
    `alter table market.${table} attach partition market.${name} for values from (${from}) to (${to})`,
    `alter table market.${name} drop constraint ${name}_range`,
  ];
  await query({ text: ddl.join('; ') });
  return name;
}

/** Makes the table of a month beside its parent. */
export async function buildTable(
  query: Query,
  table: PartitionedTable,
  month: Month,
): Promise<void> {
  const name = partitionName(table, month);
  const ddl = [
    `create table market.${name} (like market.${table} including defaults including constraints)`,
    `alter table market.${name} enable row level security`,
    `alter table market.${name} set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = ${VACUUM_INSERT_THRESHOLD_ROWS}, autovacuum_analyze_scale_factor = 0.1)`,
  ];
  await query({ text: ddl.join('; ') });
}

/**
 * Has every session build its list of partitions anew. PostgreSQL (seen in 18.4) loses the notice of an attach or a detach that
 * commits while a session builds its list: the session then omits the month, until the next change of the table. This one
 * changes nothing, as 100 is the default; 14 of 14 such sessions were right after it.
 */
export async function renewPartitionLists(query: Query): Promise<void> {
  for (const table of PARTITIONED_TABLES) {
    const text = `alter table only market.${table} alter column created_at set statistics 100`;
    await query({ text });
  }
}

const NONE_REFUSED: RefusedMonths = { detached: new Set(), tooMany: new Set() };

export type PartitionGuard = ReturnType<typeof createPartitionGuard>;

/**
 * Remembers which months take rows, so that ingest asks the database once per month and process. A partition
 * that was removed meanwhile fails an insert; the caller then calls `forget`.
 */
export function createPartitionGuard(database: Writes) {
  const known = new Set<Month>();
  return {
    /** Makes the missing months of these times, and returns those that take no rows. */
    async ensure(createdAtMs: Iterable<number>, newMonths = unbounded()): Promise<RefusedMonths> {
      const missing = new Set<Month>();
      for (const at of createdAtMs) {
        const month = monthOf(at);
        if (!known.has(month)) missing.add(month);
      }
      if (missing.size === 0) return NONE_REFUSED;
      const refused = await makeMonths(database, missing, newMonths, MAKER);
      for (const month of missing) {
        if (!refused.detached.has(month) && !refused.tooMany.has(month)) known.add(month);
      }
      return refused;
    },
    forget: () => known.clear(),
  };
}
