/**
 * Starts once per run: a Postgres without durability, a migrated template database, and the Redis program that
 * test files start for themselves. RISK_TEST_POSTGRES_BIN names the programs of another Postgres.
 */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { ensurePartitions, MONTHS_AHEAD } from '../../src/core/store/partitions/partitions.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openPool } from '../../src/kit/database/pool.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import {
  findPostgres,
  openCluster,
  startPostgres,
} from '../../src/tools/start/services/postgres.ts';
import { findRedis, type RedisSource } from '../../src/tools/start/services/redis.ts';
import { bundleRisk } from './bundle.ts';
import { BUNDLE } from './risk.ts';
import {
  copyCluster,
  makeServiceFolder,
  PASSWORD,
  sweepServiceFolders,
  VOLATILE_POSTGRES,
} from './service-folder.ts';
import { askPostgres } from './standby.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of the maintenance database; its role may create databases. */
    postgresUrl: string;
    /** Folder of the programs, or empty for the embedded ones. */
    postgresBin: string;
    /** A cluster that never ran: copying its files takes a tenth of what `initdb` takes. */
    postgresCluster: string;
    redisSource: RedisSource;
  }
}

export const TEMPLATE = 'risk_template';
export const TEST_MARKET = 'market_0';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  process.env[BUNDLE] = await bundleRisk();
  const postgresBin = process.env['RISK_TEST_POSTGRES_BIN'] ?? '';
  sweepServiceFolders();
  const folder = makeServiceFolder();
  const { signal } = new AbortController();
  const program = await findPostgres(folder.account, postgresBin || undefined);
  const cluster = join(folder.services, 'unused');
  renameSync(await openCluster({ ...folder, program }), cluster);
  copyCluster(cluster, folder.services);
  const postgres = await startPostgres({
    ...folder,
    program,
    // A role without superuser rights cannot drop a database while an autovacuum works in it, and a slow run takes over ten minutes.
    settings: {
      ...VOLATILE_POSTGRES,
      ...{ max_connections: '200', shared_buffers: '128MB', autovacuum_naptime: '1d' },
    },
    signal,
  });
  const teardown = async () => {
    await postgres.service.stop();
    folder[Symbol.dispose]();
  };
  try {
    if (program.major >= SCRAM_ITERATIONS_SINCE) await easeLogins(postgres.url);
    await makeTemplate(postgres.url);
    const search = { account: folder.account, environment: process.env, signal };
    const redisSource = await findRedis(search);
    project.provide('postgresUrl', postgres.url);
    project.provide('postgresBin', postgresBin);
    project.provide('postgresCluster', cluster);
    project.provide('redisSource', redisSource);
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}

const SCRAM_ITERATIONS_SINCE = 16;

/** A login derives a key from the password, by default in 4,096 rounds: a millisecond of processor time for each connection. */
async function easeLogins(url: string): Promise<void> {
  const easier = `set scram_iterations = 1; alter role current_user password '${PASSWORD}'`;
  await askPostgres(url, easier);
}

async function makeTemplate(maintenanceUrl: string): Promise<void> {
  await askPostgres(maintenanceUrl, `create database ${TEMPLATE}`);
  const url = new URL(maintenanceUrl);
  url.pathname = `/${TEMPLATE}`;
  await migrate({ url: url.href, market: TEST_MARKET, corridors: [] });
  await makeMonths(url.href);
}

/** Most tests store rows of these months; making a month for each of them took a sixth of the processor time of Postgres. */
async function makeMonths(url: string): Promise<void> {
  const connection = { url, market: TEST_MARKET, role: 'test', namedStatements: false };
  await using database = openPool({
    ...connection,
    connectionsMax: 1,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 20_000,
  });
  const ahead = Array.from({ length: MONTHS_AHEAD + 1 }, (_, index) => monthOf(Date.now()) + index);
  await ensurePartitions(database, [monthOf(Date.UTC(2026, 10)), ...ahead]);
  // A test finds its own changes alone.
  await database.query({
    text: `alter table market.audit_log disable trigger audit_log_never_changes;
           truncate market.audit_log restart identity;
           alter table market.audit_log enable always trigger audit_log_never_changes`,
  });
}
