/**
 * A database of one test: a clone of the migrated template. Disposing it fails the test if a pool or
 * connection was left open, then drops it.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { marketUrl } from '../../bench/support/market.ts';
import { openPool, type PoolOptions } from '../../src/kit/database/pool.ts';
import { TEMPLATE, TEST_MARKET } from './global-setup.ts';
import { openForFile } from './open-for-file.ts';
import { waitUntil } from './wait-until.ts';

export type TestDatabase = Awaited<ReturnType<typeof createTestDatabase>>;

const LEAK_GRACE_MS = 400;

export type TestDatabaseOptions = {
  /** Empty: no schema yet, for tests of migrate. */
  readonly migrated?: boolean;
  /** How `create database` makes an empty one in place of that: its encoding and locale. */
  readonly as?: string;
  /** Settings that each session of the database begins with, unless the session sends others. */
  readonly settings?: Readonly<Record<string, string>>;
};

/** Pool of this test file; its connections keep no process alive. */
let maintenance: pg.Pool | undefined;

export async function createTestDatabase({
  migrated = true,
  as,
  settings = {},
}: TestDatabaseOptions = {}) {
  const maintenanceUrl = inject('postgresUrl');
  maintenance ??= openConnections(maintenanceUrl);
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  // Copying the template's files takes half as long as writing its pages through the WAL.
  const clone = migrated ? `template ${TEMPLATE} strategy file_copy` : '';
  await maintenance.query(`create database ${name} ${as ?? clone}`);
  for (const [setting, value] of Object.entries(settings))
    await maintenance.query(`alter database ${name} set ${setting} = '${value}'`);
  const url = withDatabase(maintenanceUrl, name);
  const connections = openConnections(marketUrl(url));
  return {
    url,
    name,
    market: TEST_MARKET,
    /** A pool of the engine's own kind; dispose it before the database. */
    open: (options?: Partial<PoolOptions>) => openPool({ ...poolDefaults(url), ...options }),
    /** Runs a statement on a connection beside the pools, for arranging and asserting. */
    sql: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await connections.query<Row>(text, [...values])).rows,
    [Symbol.asyncDispose]: async () => {
      await connections.end();
      const leaked = await leakedConnections(name);
      await maintenance?.query(`drop database if exists ${name} with (force)`);
      if (leaked.length > 0) throw new Error(`connections left open: ${leaked.join('; ')}`);
    },
  };
}

/** A database of the test file, and a pool of it. */
export async function openTestDatabase(options?: Partial<PoolOptions>) {
  const testDatabase = await openForFile(createTestDatabase());
  return { testDatabase, database: await openForFile(testDatabase.open(options)) };
}

function openConnections(connectionString: string): pg.Pool {
  const name = { application_name: 'test-support', allowExitOnIdle: true };
  const pool = new pg.Pool({ connectionString, ...name });
  // The server may be stopped while they are idle.
  pool.on('error', () => undefined);
  return pool;
}

function poolDefaults(url: string): PoolOptions {
  return {
    url,
    market: TEST_MARKET,
    role: 'test',
    connectionsMax: 5,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 20_000,
    namedStatements: true,
  };
}

/** Open connections, after closing sockets have had a moment to reach the server. */
async function leakedConnections(database: string): Promise<string[]> {
  let leaked: string[] = [];
  const isClosed = async () => {
    const { rows } = await (maintenance as pg.Pool).query<{ who: string }>(
      `select concat_ws(' ', application_name, state, left(query, 80)) as who
         from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
      [database],
    );
    leaked = rows.map(({ who }) => who);
    return leaked.length === 0;
  };
  await waitUntil(isClosed, LEAK_GRACE_MS, 'connections to close').catch(() => undefined);
  return leaked;
}

function withDatabase(maintenanceUrl: string, name: string): string {
  const url = new URL(maintenanceUrl);
  url.pathname = `/${name}`;
  return url.href;
}
