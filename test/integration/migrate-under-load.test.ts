/**
 * Goal: a migration never makes writers queue behind a reader that holds a table, and goes on where a crash stopped it, at
 * any statement. Method: migrations of the test's own beside those of the engine; sessions that hold tables, die or are
 * left behind.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { marketUrl } from '../../bench/support/market.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { type MigrateOptions, migrate } from '../../src/kit/database/migrations/migrate.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { missingMigrations } from '../../src/main/schema-version.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { childEnvironment, watch } from '../support/risk.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';

const SQL = fileURLToPath(new URL('../../sql/', import.meta.url));
const MIGRATE = fileURLToPath(
  new URL('../../src/kit/database/migrations/migrate.ts', import.meta.url),
);
/** The longest that a writer may wait for a lock: the migration's own wait, and slack for a loaded machine. */
const WRITER_LOCK_TIMEOUT_MS = 10_000;
const DEADLINE_MS = 30_000;
const HELD = 'a lock was not free';

const database = await openForFile(createTestDatabase());

let folder: string;
/** The migration of this test. */
let name: string;
let tests = 0;
let told: string[];
beforeEach(async () => {
  name = `900${tests++}_test_load.sql`;
  folder = await mkdtemp(join(tmpdir(), 'risk-sql-'));
  await cp(SQL, folder, { recursive: true });
  told = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = async (text: string) => await writeFile(join(folder, name), text);
const run = async (more: Partial<MigrateOptions> = {}) =>
  await migrate(
    {
      ...{ url: database.url, market: database.market, corridors: [] },
      ...{ onProgress: (text: string) => told.push(text), ...more },
    },
    folder,
  );
const waits = () => told.filter((text) => text.includes(HELD)).length;

/** A session that holds a table until it is disposed. */
async function hold(mode: string, table: string) {
  const client = new pg.Client({ connectionString: marketUrl(database.url) });
  // A test may end the session by force.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`begin; lock table ${table} in ${mode} mode`);
  return { [Symbol.asyncDispose]: () => client.end().catch(() => undefined) };
}

/** Whether the indexes with a name are valid, for each of them. */
const indexes = async (table: string, columns: string) => {
  const rows = await database.sql<{ valid: boolean }>(
    `select indisvalid as valid from pg_index
      where indrelid = $1::regclass and strpos(pg_get_indexdef(indexrelid), $2) > 0`,
    [table, `(${columns})`],
  );
  return rows.map(({ valid }) => valid);
};
/** Migrates in a process that may be killed. */
function spawnMigrate() {
  const script = `const { migrate } = await import(${JSON.stringify(MIGRATE)});
    const [url, market, folder] = process.argv.slice(1);
    await migrate({ url, market, corridors: [], onProgress: (text) => console.log(text) }, folder);`;
  const args = ['--input-type=module', '-e', script, database.url, database.market, folder];
  return watch(spawn(process.execPath, args, { cwd: '/', env: childEnvironment({}) }));
}
const isBuilding = async () =>
  (await database.sql(`select from pg_stat_progress_create_index where phase like 'waiting%'`))
    .length > 0;
/** Ends the session that builds an index of a table, as a crash of the server's process would. */
const endBuilder = async (table: string) =>
  await waitUntil(
    async () =>
      (
        await database.sql(
          `select pg_terminate_backend(pid) from pg_stat_progress_create_index
            where phase like 'waiting%' and relid = $1::regclass`,
          [table],
        )
      ).length > 0,
    DEADLINE_MS,
    'an index being built',
  );

test('writers do not queue behind a migration that waits for a reader', async () => {
  await using writer = database.open({
    connectionsMax: 1,
    lockTimeoutMs: WRITER_LOCK_TIMEOUT_MS,
  });
  const writeOne = () => storeTransactions(writer, [{ createdAtMs: Date.UTC(2026, 10, 1) }]);
  await ensurePartitions(writer, [monthOf(Date.UTC(2026, 10, 1))]);
  await write('alter table transactions add column note text;');
  const reader = await hold('access share', 'transactions_y2026m11');
  const migrated = run();
  try {
    let written = 0;
    await waitUntil(
      async () => {
        await writeOne();
        written += 1;
        return waits() >= 2 && written >= 20;
      },
      DEADLINE_MS,
      'writes beside two tries of the migration',
    );
  } finally {
    await reader[Symbol.asyncDispose]();
  }
  expect(await migrated).toEqual([name]);
  await writeOne();
  expect(await missingMigrations(writer)).toEqual([]);
});

test('a table that is never free ends the migration, which says so and leaves nothing behind', async () => {
  await write(`create table first (n integer);\nalter table labels add column mark text;`);
  {
    await using _ = await hold('access share', 'labels');
    await expect(run({ lockAttemptsMax: 2 })).rejects.toMatchObject({
      code: 'MIGRATION_LOCKED',
      message: expect.stringContaining(name),
    });
  }
  expect(await database.sql(`select to_regclass('first') as made`)).toEqual([{ made: null }]);
  expect(await run()).toEqual([name]);
});

test('a killed migration goes on with the step it had not finished', async () => {
  await write(`-- What it does.
-- transaction: makes a table
create table counted (n integer);
-- transaction: fills it
insert into counted values (1);
-- transaction: waits
alter table labels add column remark text;
-- transaction: fills it again
insert into counted values (2);`);
  {
    await using _ = await hold('access share', 'labels');
    await using child = spawnMigrate();
    await child.waitFor(new RegExp(HELD), DEADLINE_MS);
    child.kill('SIGKILL');
    await child.exited;
  }
  const counted = () => database.sql('select n from counted order by n');
  expect(await counted()).toEqual([{ n: 1 }]);
  {
    await using engine = database.open({ connectionsMax: 1 });
    expect(await missingMigrations(engine)).toEqual([]);
    expect(await database.sql(`select from schema_migrations where name = '${name}'`)).toEqual([]);
  }
  expect(await run()).toEqual([name]);
  expect(await counted()).toEqual([{ n: 1 }, { n: 2 }]);
  expect(await run()).toEqual([]);
});

test('an index whose building was killed is dropped and built again, of a plain table and of a partitioned one', async () => {
  await using engine = database.open({ connectionsMax: 1 });
  await ensurePartitions(engine, [monthOf(Date.UTC(2026, 9)), monthOf(Date.UTC(2026, 10))]);
  await write(`-- concurrently: of a plain table
create index concurrently killed_idx on dead_letters (stream, attempts);
-- concurrently: of a partitioned table
create index concurrently transactions_killed_idx on transactions (channel) where channel is not null;`);
  {
    await using _ = await hold('row exclusive', 'dead_letters');
    const killed = expect(run()).rejects.toMatchObject({ code: 'MIGRATION_FAILED' });
    await endBuilder('dead_letters');
    await killed;
  }
  expect(await indexes('dead_letters', 'stream, attempts')).toEqual([false]);
  {
    await using _ = await hold('row exclusive', 'transactions_y2026m11');
    const killed = expect(run()).rejects.toMatchObject({ code: 'MIGRATION_FAILED' });
    await endBuilder('transactions_y2026m11');
    await killed;
  }
  expect(await indexes('dead_letters', 'stream, attempts')).toEqual([true]);
  expect(await indexes('transactions', 'channel')).toEqual([false]);
  // A month that is added in between gets its own index with the partition.
  await ensurePartitions(engine, [monthOf(Date.UTC(2026, 11))]);
  expect(await run()).toEqual([name]);
  expect(await indexes('transactions', 'channel')).toEqual([true]);
  for (const month of ['10', '11', '12']) {
    expect(await indexes(`transactions_y2026m${month}`, 'channel'), month).toEqual([true]);
  }
});

test('a build that a killed process left at work is waited for', async () => {
  await write(`-- concurrently: of a plain table
create index concurrently left_idx on dead_letters (error, attempts);`);
  const reader = await hold('row exclusive', 'dead_letters');
  let migrated: Promise<string[]> | undefined;
  try {
    await using child = spawnMigrate();
    await waitUntil(isBuilding, DEADLINE_MS, 'an index being built');
    child.kill('SIGKILL');
    await child.exited;
    migrated = run();
    await waitUntil(() => told.includes('another migration runs'), DEADLINE_MS, 'the second one');
  } finally {
    await reader[Symbol.asyncDispose]();
  }
  expect(await migrated).toEqual([name]);
  expect(await indexes('dead_letters', 'error, attempts')).toEqual([true]);
});

test('a step that commits by itself keeps what it committed, and goes on', async () => {
  await write(`-- step: parts
do $$
declare
  part integer;
begin
  create table if not exists parts (part integer);
  commit;
  for part in select n from generate_series(1, 3) n where n not in (select parts.part from parts) loop
    raise info 'part %', part;
    perform 1 / (case when part = 2 and to_regclass('in_the_way') is not null then 0 else 1 end);
    insert into parts values (part);
    commit;
  end loop;
end $$;
-- transaction: the end
comment on table parts is 'Parts.';`);
  await database.sql('create table in_the_way ()');
  await expect(run()).rejects.toMatchObject({ code: 'MIGRATION_FAILED' });
  const parts = () => database.sql('select part from market_0.parts order by part');
  expect(await parts()).toEqual([{ part: 1 }]);
  await database.sql('drop table in_the_way');
  expect(await run()).toEqual([name]);
  expect(await parts()).toEqual([1, 2, 3].map((part) => ({ part })));
  expect(told.filter((text) => text.startsWith('part'))).toEqual(
    [1, 2, 2, 3].map((part) => `part ${part}`),
  );
});

test('a step that is no do block is refused, as it would not find the tables of its market', async () => {
  await write('-- step: a table\ncreate table stray (n integer);');
  await expect(run()).rejects.toMatchObject({ message: expect.stringContaining('do block') });
  const stray = await database.sql(`select from pg_class where relname = 'stray'`);
  expect(stray).toEqual([]);
});
