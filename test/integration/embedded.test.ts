/**
 * Goal: the services a newcomer gets without asking are real, keep their data, refuse to be shared by
 * two engines, and end with the engine. Method: whole engines in temporary data folders.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { apiKeyHash } from '../../src/kit/access/api-key.ts';
import { readEngineFile } from '../../src/tools/start/services/engine-file.ts';
import { type Embedded, startEmbedded } from '../../src/tools/start/services/start-embedded.ts';
import { createTestDatabase } from '../support/database.ts';
import { watch } from '../support/risk.ts';
import { runRisk } from '../support/run-risk.ts';
import { makeTestFolder } from '../support/service-folder.ts';
import { prepareDataFolder } from '../support/services.ts';
import { askPostgres } from '../support/standby.ts';
import { THOROUGH } from '../support/thorough.ts';
import { waitUntil } from '../support/wait-until.ts';

const ENGINE_CHILD = fileURLToPath(new URL('../support/engine-child.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;

let dataDir = '';

beforeEach(() => {
  dataDir = join(makeTestFolder(), 'data');
});

afterEach(() => {
  const services = join(dataDir, 'services');
  if (existsSync(services)) rmSync(realpathSync(services), { recursive: true });
  rmSync(join(dataDir, '..'), { recursive: true });
});

async function engine(): Promise<Embedded> {
  const { signal } = new AbortController();
  return await startEmbedded({ dataDir, signal });
}

async function redis(url: string, command: string, ...words: string[]): Promise<unknown> {
  const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    return await client.call(command, ...words);
  } finally {
    client.disconnect();
  }
}

test('startEmbedded keeps rows and keys over a restart, durably set', async () => {
  prepareDataFolder(dataDir);
  {
    await using first = await engine();
    await askPostgres(first.databaseUrl, 'create table kept as select 7 as value');
    expect(await redis(first.redisUrl, 'SET', 'kept', '7')).toBe('OK');
    expect(
      await askPostgres(
        first.databaseUrl,
        `select name, setting from pg_settings
          where name in ('fsync', 'synchronous_commit', 'full_page_writes') order by name`,
      ),
    ).toEqual([
      { name: 'fsync', setting: 'on' },
      { name: 'full_page_writes', setting: 'on' },
      { name: 'synchronous_commit', setting: 'on' },
    ]);
  }
  expect(readEngineFile(dataDir)).toBeUndefined();
  await using second = await engine();
  expect(await askPostgres(second.databaseUrl, 'select value from kept')).toEqual([{ value: 7 }]);
  expect(await redis(second.redisUrl, 'INCR', 'kept')).toBe(8);
});

test('startEmbedded lets nobody in without the password, nor a second engine into its folder', async () => {
  const others = [5432, 6379].map((port) => createServer().listen(port, '127.0.0.1'));
  // Another process may have taken it by now, which is equally good.
  for (const other of others) other.on('error', () => undefined);
  await using running = await engine();
  for (const other of others) other.close();
  const url = new URL(running.databaseUrl);
  expect(url.port).not.toBe('5432');
  url.password = 'wrong';
  await expect(askPostgres(url.href, 'select 1')).rejects.toThrow('password authentication failed');
  expect(await redis(running.redisUrl, 'PING')).toBe('PONG');
  const strangers = running.redisUrl.replace(/:[^:@]*@/, '');
  await expect(redis(strangers, 'PING')).rejects.toThrow('NOAUTH');
  expect(statSync(join(dataDir, 'password')).mode & 0o777).toBe(0o600);
  expect(statSync(join(dataDir, 'engine.json')).mode & 0o777).toBe(0o600);
  expect(readEngineFile(dataDir)).toEqual({
    pid: process.pid,
    databaseUrl: running.databaseUrl,
    redisUrl: running.redisUrl,
  });
  await expect(engine()).rejects.toThrow(`another engine (pid ${process.pid})`);
});

test.runIf(isRoot && THOROUGH)(
  'startEmbedded works for root in a closed folder and in an open one',
  async () => {
    // Services may not enter it, so their data is put elsewhere.
    chmodSync(join(dataDir, '..'), 0o700);
    const services = async () => {
      await using running = await engine();
      await askPostgres(running.databaseUrl, 'select 1');
      return realpathSync(join(dataDir, 'services'));
    };
    const outside = await services();
    expect(outside.startsWith(dataDir)).toBe(false);
    rmSync(outside, { recursive: true });
    chmodSync(join(dataDir, '..'), 0o755);
    expect(await services()).toBe(join(dataDir, 'services'));
    expect(statSync(join(dataDir, 'services')).uid).not.toBe(0);
  },
);

test('an engine killed with -9 leaves no service behind and its data usable', async () => {
  prepareDataFolder(dataDir);
  const child = spawn(process.execPath, [ENGINE_CHILD, dataDir], { stdio: 'pipe' });
  await using running = watch(child);
  const [, url = ''] = await running.waitFor(/ready (\S+)/, 60_000);
  await askPostgres(url, 'create table kept as select 7 as value');
  running.kill('SIGKILL');
  await running.exited;
  await using next = await engine();
  expect(await askPostgres(next.databaseUrl, 'select value from kept')).toEqual([{ value: 7 }]);
  // The services of the dead engine were ended, not left beside the new ones.
  await expect(askPostgres(url, 'select 1')).rejects.toThrow();
});

test('a killed service comes back at its address with its data', async () => {
  prepareDataFolder(dataDir);
  await using running = await engine();
  const { databaseUrl, redisUrl } = running;
  await askPostgres(databaseUrl, 'create table kept as select 7 as value');
  const pidOf = (file: string) =>
    Number(readFileSync(join(dataDir, 'services', file), 'utf8').split('\n')[0]);
  for (const [file, answers] of [
    ['redis/redis.pid', async () => (await redis(redisUrl, 'PING')) === 'PONG'],
    [
      'postgres/postmaster.pid',
      async () => (await askPostgres(databaseUrl, 'table kept')).length === 1,
    ],
  ] as const) {
    const killed = pidOf(file);
    process.kill(killed, 'SIGKILL');
    const isBack = async () => pidOf(file) !== killed && (await answers());
    await waitUntil(() => isBack().catch(() => false), 30_000, `${file} to be back`);
  }
});

test('a start whose key is revoked in the given database names the setting to unset', async () => {
  await using database = await createTestDatabase();
  const key = 'risk_replaced_by_the_key_of_another_engine';
  await database.sql(
    `insert into api_keys (key_id, key_hash, roles, owner, revoked_at)
     values ('bootstrapffffffff', $1, '{admin}', 'RISK_BOOTSTRAP_KEY', now())`,
    [apiKeyHash(key)],
  );
  const { code, stderr } = await runRisk(['start', '--once'], {
    ...{ RISK_DATA_DIR: dataDir, DATABASE_URL: database.url, RISK_BOOTSTRAP_KEY: key },
  });
  expect(stderr).toContain(
    'RISK_BOOTSTRAP_KEY is revoked in this database: set RISK_BOOTSTRAP_KEY',
  );
  expect(code).toBe(1);
  await database.sql('update api_keys set revoked_at = null');
  const second = await runRisk(['start', '--once'], {
    ...{ RISK_DATA_DIR: dataDir, DATABASE_URL: database.url },
  });
  expect(second.stderr).toContain('another engine has the key bootstrapffffffff in the database');
  expect(
    await database.sql('select count(*)::int as live from api_keys where revoked_at is null'),
  ).toEqual([{ live: 1 }]);
});
