/**
 * Goal: a right that a store refuses is named, with what grants it, by `/readyz`, the doctor and the log, and is no outage.
 * Method: users of Redis without a command, and a role of Postgres without a right.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isPostgresOutage } from '../../src/kit/database/outage.ts';
import { openCommands, toRedisFailure, untilReady } from '../../src/kit/redis/connection.ts';
import { isRedisOutage } from '../../src/kit/redis/outage.ts';
import { redisRights, toError } from '../../src/kit/words/failure.ts';
import { refusedByPostgres, refusedByRedis } from '../../src/main/rights.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { REPOSITORY } from '../support/risk.ts';
import { runRisk } from '../support/run-risk.ts';
import { startRunningApi } from '../support/running-api.ts';
import { startTestRedis } from '../support/services.ts';
import { input, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const MARKET = 'market_0';
const MS_MAX = 20_000;
const ACL = redisRights(MARKET);

const redis = await openForFile(startTestRedis());

/** A connection of a user with the documented rights and these changes. */
async function connectAs(name: string, ...changes: readonly string[]) {
  const rules = ACL.split(' ').slice(3);
  const owner = openCommands(redis.url, MS_MAX);
  await untilReady(owner, MS_MAX);
  await owner.call('ACL', ['SETUSER', name, ...rules, ...changes]);
  owner.disconnect();
  const url = Object.assign(new URL(redis.url), { username: name, password: 'PASSWORD' }).href;
  const client = openCommands(url, MS_MAX);
  await untilReady(client, MS_MAX);
  return { url, client, [Symbol.dispose]: () => client.disconnect() };
}

type Readiness = {
  readonly status: string;
  readonly redis: string;
  readonly refused?: readonly string[];
};

const read = async (url: string): Promise<Readiness | undefined> =>
  await fetch(`${url}/readyz`).then(
    async (answer) => (await answer.json()) as Readiness,
    () => undefined,
  );

test('docs/deploy.md has the rights of a user of Redis', () => {
  expect(readFileSync(join(REPOSITORY, 'docs/deploy.md'), 'utf8')).toContain(ACL);
});

test('the documented rights suffice, and asking for them leaves no key', async () => {
  using user = await connectAs('whole');
  expect(await refusedByRedis(user.client, MARKET)).toEqual([]);
  expect(await user.client.call('SCAN', ['0'])).toEqual(['0', []]);
});

test.each([
  ['INFO', '-info'],
  ['CLIENT UNBLOCK', '-client|unblock'],
  ['COPY', '-copy'],
  ['XREADGROUP', '-xreadgroup'],
  ['PUBLISH, SUBSCRIBE', 'resetchannels'],
])('a user without %s is told so', async (refused, change) => {
  using user = await connectAs(`without-${refused.replaceAll(/\W/g, '')}`, change);
  const said = `Redis refuses ${refused} to its user: ${ACL}`;
  expect(await refusedByRedis(user.client, MARKET)).toEqual([said]);
});

test('a user without scripts, or with the keys of another market, is told so', async () => {
  for (const [name, ...changes] of [
    ['scripts', '-@scripting'],
    ['keys', 'resetkeys', '~market_1:*', '~{market_1:*'],
  ] as const) {
    using user = await connectAs(name, ...changes);
    const [said] = await refusedByRedis(user.client, MARKET);
    expect(said).toContain(redisRights('MARKET'));
  }
});

test('all commands of scripts are asked for', () => {
  const asked = readFileSync(join(REPOSITORY, 'src/main/rights.ts'), 'utf8');
  const scripts = join(REPOSITORY, 'src/core/stream/lua');
  const texts = readdirSync(scripts).map((name) => readFileSync(join(scripts, name), 'utf8'));
  const called = texts.join().matchAll(/\.p?call\('((?:(?:MEMORY|XGROUP|XINFO)', ')?[A-Z]+)/g);
  const names = Array.from(called, ([, name = '']) => name.replace("', '", '|'));
  expect([...new Set(names)].filter((name) => !asked.includes(name))).toEqual([]);
  expect(names).toContain('XINFO|GROUPS');
});

test('a refused command is no outage, in a script either, and its error has the rights', async () => {
  using user = await connectAs('script', '-xlen');
  const commands = [
    user.client.call('XLEN', [`{${MARKET}:k}`]),
    user.client.eval("return redis.call('XLEN', KEYS[1])", 1, `{${MARKET}:k}`),
  ];
  for (const command of commands) {
    const failure = await command.then(() => undefined, toRedisFailure);
    expect(failure?.code).toBe('REDIS_NOPERM');
    expect(failure?.message).toContain(redisRights('MARKET'));
    expect(isRedisOutage(failure)).toBe(false);
  }
});

test('a worker and an API name the command that Redis refuses, until it is granted', async () => {
  using user = await connectAs('dangerous', '-info');
  await using api = await startRunningApi({ REDIS_URL: user.url });
  const port = String(await freePort());
  await using _worker = api.startWorker({ REDIS_URL: user.url, RISK_WORKER_PORT: port });
  const refusal = `Redis refuses INFO to its user: ${ACL}`;
  const worker = `http://127.0.0.1:${port}`;
  for (const [url, status] of [
    [worker, 'unready'],
    [api.url, 'ready'],
  ] as const) {
    await waitUntil(async () => (await read(url))?.redis === 'refused', MS_MAX, url);
    expect(await read(url)).toMatchObject({ status, refused: [refusal] });
  }
  expect(api.log()).toContain(refusal);
  const { stdout, code } = await runRisk(['doctor', '--json'], {
    DATABASE_URL: api.testDatabase.url,
    REDIS_URL: user.url,
  });
  expect(JSON.parse(stdout)).toContainEqual({
    check: 'redis rights',
    state: 'fail',
    detail: refusal,
  });
  expect(code).toBe(1);
  using _granted = await connectAs('dangerous', '+info');
  await waitUntil(async () => (await read(worker))?.status === 'ready', MS_MAX, 'the right');
});

test('a role of Postgres without a right is told so, and no transaction is dead', async () => {
  await using database = await createTestDatabase();
  await using role = await grantMarket(database);
  await using api = await startRunningApi({ DATABASE_URL: role.url });
  const pool = database.open({ url: role.url });
  await database.sql(`revoke insert on scores from ${role.name}`);
  const words = `Postgres refuses INSERT on ${MARKET}.scores to ${role.name}: grant it, or run risk`;
  expect((await refusedByPostgres(pool, MARKET))[0]).toContain(words);
  const failure = await pool
    .query({ text: 'insert into market.scores default values' })
    .catch(toError);
  expect(failure).toMatchObject({ kind: 'unavailable' });
  expect(isPostgresOutage(failure)).toBe(false);
  await pool[Symbol.asyncDispose]();
  await using _worker = api.startWorker({ DATABASE_URL: role.url });
  await postOne(api, input());
  const readyz = () => read(api.url);
  const seen = await waitUntil(
    async () => ((await readyz())?.refused ? readyz() : undefined),
    MS_MAX,
    'the words',
  );
  expect(seen).toMatchObject({ status: 'ready', postgres: 'refused', breakers: [] });
  expect(seen.refused?.[0]).toContain(words);
  const { stdout } = await runRisk(['doctor', '--json'], { DATABASE_URL: role.url });
  expect(stdout).toContain(words);
  await database.sql(`grant insert on scores to ${role.name}`);
  const count = async (table: string) =>
    (await database.sql<{ n: number }>(`select count(*)::int as n from ${table}`))[0]?.n;
  await waitUntil(async () => (await count('scores')) === 1, MS_MAX, 'the score');
  expect(await count('dead_letters')).toBe(0);
});

/** A role that owns the market, as docs/markets.md makes it. */
async function grantMarket(database: TestDatabase) {
  const name = `risk_0_${database.name}`;
  const environment = { DATABASE_URL: database.url };
  const { stdout } = await runRisk(
    ['markets', 'grant', MARKET, '--role', name, '--json'],
    environment,
  );
  const { password } = JSON.parse(stdout);
  const url = Object.assign(new URL(database.url), { username: name, password }).href;
  return {
    ...{ name, url },
    [Symbol.asyncDispose]: async () => {
      await database.sql(`drop owned by ${name} cascade`);
      await database.sql(`drop role ${name}`);
    },
  };
}
