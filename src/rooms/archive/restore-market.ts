/**
 * Restores a rolled-back market from its archive. The table `unfinished_restore` keeps processes from serving the market until the
 * end, and a second restore begins anew where the first was killed.
 */
import { isBeingRestored, makeMarket } from '../../core/store/make-market.ts';
import {
  lockPartitions,
  makePartition,
  type PartitionedTable,
} from '../../core/store/partitions/partitions.ts';
import { tokensAlone } from '../../core/store/transactions/personal-checks.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import { byCommand } from '../../kit/command/stores.ts';
import type { Copy } from '../../kit/database/copy.ts';
import { migrate } from '../../kit/database/migrations/migrate.ts';
import { readMigrations } from '../../kit/database/migrations/migration-session.ts';
import { isPooled } from '../../kit/database/open-database.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../kit/database/statement.ts';
import type { Failpoint } from '../../kit/process/failpoint.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Table } from './archive-file.ts';
import { noteRestore } from './archived-markets.ts';
import { dropMarket, hasSchema, OF_MONTH } from './drop-tables.ts';
import { countRows, readRows, type Stored, SUBJECTS } from './export-table.ts';
import type { FileStore } from './file-stores/file-store.ts';
import { loadTables } from './load-market.ts';
import { loadTable } from './load-table.ts';
import { compareOthers, type OtherMarkets, readOthers } from './market-figures.ts';
import {
  type OfSubjects,
  openSubjects,
  requireErasures,
  type Subjects,
  withKeys,
} from './restore-subjects.ts';

type Restoring = OfSubjects &
  OtherMarkets & {
    /** URL of the role that makes markets. */
    readonly url: string;
    readonly store: FileStore;
    readonly database: Database;
    readonly failpoint: Failpoint;
    readonly signal: AbortSignal;
  };

export type Restored = {
  readonly rows: number;
  readonly erased: number;
  readonly losses: readonly string[];
};

const BY = byCommand('archive restore-market');

/** @throws Failure where the market exists, the archive was changed, or the ledger lacks an erasure */
export async function restoreMarket(restoring: Restoring): Promise<Restored> {
  const { market, database } = restoring;
  const subjects = await openSubjects(restoring);
  await requireRestorable(restoring);
  const since = new Date();
  const before = await readOthers(restoring);
  const loaded = await alone(restoring, async () => {
    await beginAnew(restoring);
    return await fill(restoring, subjects).catch(async (error: unknown) => {
      await dropMarket(database, market).catch(() => undefined);
      throw error;
    });
  });
  const { losses } = await compareOthers(restoring, before, since);
  return { ...loaded, losses };
}

/** Runs work while no other command restores the market. @throws Failure where one does */
async function alone<T>({ market, openMarket }: Restoring, work: () => Promise<T>): Promise<T> {
  await using guard = openMarket(market);
  return await guard.session(async (client, begin, query) => {
    await begin();
    try {
      const { isFree } = await tryLock(query, market);
      if (!isFree)
        throw new Failure('conflict', 'ANOTHER_COMMAND', `another command restores ${market}`);
      // No query may follow in this transaction: a snapshot would delay a migration's concurrent build of an index.
      await query({ text: 'set local idle_in_transaction_session_timeout = 0' });
      return await work();
    } finally {
      // A connection that was idle for hours may be gone, and the restore stands without it.
      await client.query('rollback').catch(() => undefined);
    }
  });
}

/** First key of the advisory lock, a constant that nothing else in the database uses. */
const RESTORE_LOCK = 7_212_007;
const tryLock = onlyOf<{ isFree: boolean }, [market: string]>(
  'lock-restore-of-market',
  `select pg_try_advisory_xact_lock(${RESTORE_LOCK}, hashtext($1)) as "isFree"`,
);

async function requireRestorable({ market, archive, database }: Restoring): Promise<void> {
  const { step, migrations } = archive;
  if (step !== 'done') {
    const why = `the rollback of ${market} ended before its step ${step}, and its archive may lack rows`;
    throw new Failure('conflict', 'NOT_ROLLED_BACK', why);
  }
  const known = (await readMigrations()).map(({ name }) => name);
  const newer = migrations.filter((name) => !known.includes(name));
  if (newer.length > 0) {
    const why = `the archive is of a release with ${newer.join(', ')}`;
    throw new Failure('invalid', 'ARCHIVE_NEWER', why);
  }
  const { has } = await hasSchema(database.query, market);
  if (!has || (await isBeingRestored(database.query))) return;
  throw new Failure('conflict', 'MARKET_EXISTS', `${market} exists: a restore changes no market`);
}

/** Makes the tables as they were when the market was archived, in place of what an earlier restore has left. */
async function beginAnew(restoring: Restoring): Promise<void> {
  const { config, url, market, archive, database, note } = restoring;
  const { corridors = [], migrations } = archive;
  const { query } = database;
  if ((await hasSchema(query, market)).has) {
    note('what an earlier restore has left is dropped');
    await dropMarket(database, market);
  }
  await database.transaction(async (run) => {
    await run({ text: `create schema "${market}"` });
    await run({ text: 'create table market.unfinished_restore (begun_at timestamptz not null)' });
  });
  const session = { url, market, isPooled: isPooled(config), onProgress: note };
  await migrate({ ...session, corridors: [], only: migrations });
  // The first market of a server is given the corridors of a bare clone.
  await freeOthers(query, market, corridors);
}

const freeOthers = rowsOf<object, [market: string, corridors: readonly string[]]>(
  'free-corridors-of-restore',
  'update shared.corridors set market = null where market = $1 and corridor <> all ($2::text[])',
);

async function fill(restoring: Restoring, subjects: Subjects): Promise<Omit<Restored, 'losses'>> {
  const { config, url, market, archive, store, key, database, failpoint, note } = restoring;
  const { tables } = archive;
  const stored: Stored = { store, archive: market, key };
  await refuseClearValues(database.query, stored, tables);
  let rows = 0;
  for (const table of tables.filter(({ name }) => OF_MONTH.test(name))) {
    if (restoring.signal.aborted)
      throw new Failure('conflict', 'STOPPED', 'stopped: give the command again');
    rows += await database.copyTransaction((query, copy) =>
      restorePartition(query, copy, stored, table),
    );
    failpoint('archive-market-month');
    if (table.rows > 0) note(`${table.name}: ${table.rows} rows`);
  }
  let erased = 0;
  await database.copyTransaction(async (query, copy) => {
    const others = tables.filter(({ name }) => !OF_MONTH.test(name));
    rows += await loadTables(query, copy, market, stored, others, note, (table) =>
      table.name === SUBJECTS ? withKeys(restoring, table, subjects) : undefined,
    );
    const archived = others.find(({ name }) => name === SUBJECTS)?.rows ?? 0;
    erased = archived - (await countRows(query, SUBJECTS));
    await requireErasures(query, subjects);
    // An approval counts for one freeze: nobody has agreed to drop what is restored.
    await freezeAnew(query);
    failpoint('archive-market-rest');
  });
  await claimCorridors(restoring);
  await makeMarket(
    { config, url, market, corridors: [], by: BY, onProgress: note },
    async (open) => {
      failpoint('archive-market-made');
      await open.transaction(async (query) => {
        await query({ text: 'drop table market.unfinished_restore' });
        await recordChange(query, BY, {
          action: 'market.restore',
          subject: market,
          before: null,
          after: { location: store.name, begun_at: archive.begun_at, rows, erased },
        });
        await noteRestore(query, market, archive.begun_at);
      });
    },
  );
  return { rows, erased };
}

/** Declares the personal fields again, before the first row: Postgres then refuses clear values, as it did. */
async function refuseClearValues(query: Query, stored: Stored, tables: readonly Table[]) {
  const table = tables.find(({ name }) => name === 'personal_fields');
  if (table === undefined) return;
  const [field = 0, at = 0] = ['field', 'declared_at'].map((name) =>
    table.columns.findIndex((column) => column.name === name),
  );
  const fields: { name: string; at: string }[] = [];
  for await (const rows of readRows(stored, table))
    for (const row of rows) fields.push({ name: row[field] ?? '', at: row[at] ?? '' });
  fields.sort((left, right) => Date.parse(left.at) - Date.parse(right.at));
  for (const [nth, { name }] of fields.entries()) await query({ text: tokensAlone(name, nth) });
}

async function restorePartition(
  query: Query,
  copy: Copy,
  stored: Stored,
  table: Table,
): Promise<number> {
  const [, kind = '', year, month] = OF_MONTH.exec(table.name) ?? [];
  await lockPartitions(query);
  let rows = 0;
  // The pattern matches the names of the three partitioned tables alone.
  await makePartition(
    query,
    kind as PartitionedTable,
    Number(year) * 12 + Number(month) - 1,
    async () => {
      // Ids of database transactions mean nothing in another database; the tallies count these rows as new.
      rows = await loadTable(query, copy, stored, table, { without: ['inserted_xid'] });
    },
  );
  return rows;
}

const freezeAnew = rowsOf(
  'freeze-restored-market',
  `update market.controls set set_at = clock_timestamp() where kind = 'freeze' and scope = 'market'`,
);

const listWanted = rowsOf<{ corridor: string }>(
  'list-corridors-of-transactions',
  'select distinct corridor from market.transactions order by corridor',
);
const claim = rowsOf<
  { corridor: string; now: string },
  [corridors: readonly string[], market: string]
>(
  'claim-corridors-of-restore',
  'select corridor, shared.claim_corridor(corridor, $2) as now from unnest($1::text[]) as wanted (corridor)',
);

/** Claims the corridors of the market that no other market has meanwhile. */
async function claimCorridors({ market, archive, database, note }: Restoring): Promise<void> {
  const { query } = database;
  const wanted = archive.corridors ?? (await listWanted(query)).map(({ corridor }) => corridor);
  for (const { corridor, now } of await claim(query, wanted, market))
    if (now !== market) note(`${corridor} is a corridor of ${now} now, and stays there`);
}
