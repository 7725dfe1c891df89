/**
 * A database of one test: a clone of the migrated template. Disposing it fails the test if a pool or
 * connection was left open, then drops it.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { migrate } from '../../src/store/migrate.ts';
import { type Database, openPool, type PoolOptions } from '../../src/store/pool.ts';
import { TEMPLATE, TEST_MARKET } from './global-setup.ts';
import { waitUntil } from './wait-until.ts';

export type TestDatabase = {
  readonly url: string;
  readonly name: string;
  readonly market: string;
  /** A pool of the engine's own kind; dispose it before the database. */
  open(options?: Partial<PoolOptions>): Database;
  /** One statement on a connection of its own, for arranging and asserting. */
  sql<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  [Symbol.asyncDispose](): Promise<void>;
};

const LEAK_GRACE_MS = 2000;

export type TestDatabaseOptions = {
  /** Empty: no schema yet, for tests of migrate. */
  readonly migrated?: boolean;
};

export async function createTestDatabase({
  migrated = true,
}: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const maintenanceUrl = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await run(maintenanceUrl, `create database ${name}${migrated ? ` template ${TEMPLATE}` : ''}`);
  const url = withDatabase(maintenanceUrl, name);
  // The search path belongs to role and database, so a clone does not have its template's.
  if (migrated) await migrate({ url, market: TEST_MARKET, corridors: [] });
  return {
    url,
    name,
    market: TEST_MARKET,
    open: (options) => openPool({ ...poolDefaults(url), ...options }),
    sql: (text, values) => run(url, text, values),
    [Symbol.asyncDispose]: async () => {
      const leaked = await leakedConnections(maintenanceUrl, name);
      await run(maintenanceUrl, `drop database if exists ${name} with (force)`);
      if (leaked.length > 0) throw new Error(`connections left open: ${leaked.join('; ')}`);
    },
  };
}

function poolDefaults(url: string): PoolOptions {
  return {
    url,
    role: 'test',
    connectionsMax: 5,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 20_000,
    namedStatements: true,
  };
}

/** Who is still connected once closing sockets have had a moment to arrive at the server. */
async function leakedConnections(url: string, name: string): Promise<string[]> {
  const list = async () =>
    await run<{ who: string }>(
      url,
      `select concat_ws(' ', application_name, state, left(query, 80)) as who
         from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
      [name],
    );
  try {
    await waitUntil(async () => (await list()).length === 0, LEAK_GRACE_MS, 'connections to close');
    return [];
  } catch {
    return (await list()).map((row) => row.who);
  }
}

function withDatabase(maintenanceUrl: string, name: string): string {
  const url = new URL(maintenanceUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function run<Row extends object>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'test-support' });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}
