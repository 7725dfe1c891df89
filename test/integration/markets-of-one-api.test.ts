/**
 * Goal: markets of one API process are chosen by a header, keep their rows and keys apart, and a fault of one reaches no request
 * of the other. Method: an API with market_0 and market_1 on one Postgres,
 * each behind a proxy of its own, and each with a Redis.
 */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { type ApiRun, runApiHere } from '../support/api-here.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { expectProblem } from '../support/problem.ts';
import { runRisk } from '../support/run-risk.ts';
import { startTestRedis, type TestService } from '../support/services.ts';
import { answerOf, input } from '../support/submit.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

const CORRIDORS: Readonly<Record<string, string>> = { market_0: 'US-EG', market_1: 'JP-KR' };
const BOTH = ['market_0', 'market_1'] as const;
/** Settings of the API: slots of each market, and connections that both share. */
const [IN_FLIGHT, CONNECTIONS] = [4, 4];
const KEY = 'markets-bootstrap-key-of-at-least-32-characters';

let database: TestDatabase;
let redis: TestService;
let otherRedis: TestService;
let proxies: ReadonlyMap<string, TcpProxy>;
let environment: Record<string, string>;
let api: ApiRun;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate({ url: database.url, market: 'market_1', corridors: ['JP-KR'] });
  redis = await startTestRedis();
  otherRedis = await startTestRedis();
  const [first, second] = [await startTcpProxy(database.url), await startTcpProxy(database.url)];
  proxies = new Map([
    ['market_0', first],
    ['market_1', second],
  ]);
  environment = {
    RISK_MARKETS: 'market_0,market_1',
    DATABASE_URL: first.url,
    MARKET_1_DATABASE_URL: second.url,
    REDIS_URL: redis.url,
    MARKET_1_REDIS_URL: otherRedis.url,
    RISK_BOOTSTRAP_KEY: KEY,
    RISK_REQUESTS_IN_FLIGHT_MAX: String(IN_FLIGHT),
    RISK_DATABASE_CONNECTIONS_MAX: String(CONNECTIONS),
    PORT: '0',
  };
  api = await runApiHere(environment);
});
afterAll(async () => {
  await api.stop();
  for (const one of [...proxies.values(), redis, otherRedis, database])
    await one[Symbol.asyncDispose]();
});
beforeEach(async () => {
  // The two markets have made the month of what follows, and read their controls.
  for (const market of BOTH) await until(market, 201);
});

const ask = (path: string, market: string | null, init: RequestInit & { key?: string } = {}) =>
  fetch(`${api.url}${path}`, {
    ...init,
    headers: {
      Authorization: `Bearer ${init.key ?? KEY}`,
      'Content-Type': 'application/json',
      ...(market === null ? {} : { 'Risk-Market': market }),
    },
  });
const post = (market: string | null, fields: object = {}, key: string = KEY) => {
  const body = JSON.stringify(input({ corridor: CORRIDORS[market ?? 'market_0'], ...fields }));
  return ask('/v1/transactions', market, { method: 'POST', body, key });
};
const statusOf = async (market: string | null, key?: string) => {
  const answer = await post(market, {}, key);
  await answer.body?.cancel();
  return answer.status;
};
const until = (market: string, status: number, key?: string) =>
  waitUntil(async () => (await statusOf(market, key)) === status, 15_000, `${market}: ${status}`);
const rowsOf = async (market: string, client: string) => {
  const [row] = await database.sql<{ rows: number }>(
    `select count(*)::int as rows from ${market}.transactions where client = $1`,
    [client],
  );
  return row?.rows;
};
const risk = async (...args: string[]) => {
  const { code, stdout, stderr } = await runRisk(args, environment);
  return { code, stderr, value: stdout.startsWith('{') ? JSON.parse(stdout) : stdout };
};

test('one key posts to both markets by the header, each stores its own, and each audits the key', async () => {
  const options = ['--role', 'ingest', '--client', 'shop', '--owner', 'payments', '--json'];
  const made = await risk('keys', 'create', '--markets', 'market_1,market_0', ...options);
  expect(made).toMatchObject({ code: 0, stderr: '', value: { markets: BOTH } });
  const { key, key_id: keyId } = made.value;
  expect([
    await statusOf(null, key),
    await statusOf('market_0', key),
    await statusOf('market_1', key),
  ]).toEqual([201, 201, 201]);
  expect([await rowsOf('market_0', 'shop'), await rowsOf('market_1', 'shop')]).toEqual([2, 1]);
  const audited = await Promise.all(
    BOTH.map((market) =>
      database.sql(`select action from ${market}.audit_log where subject = $1`, [keyId]),
    ),
  );
  expect(audited).toEqual([[{ action: 'key.create' }], [{ action: 'key.create' }]]);

  expect((await risk('keys', 'revoke', keyId, '--markets', 'market_1')).code).toBe(0);
  await until('market_1', 401, key);
  expect(await statusOf('market_0', key)).toBe(201);
  expect((await risk('keys', 'revoke', keyId, '--markets', 'market_0,market_1')).code).toBe(0);
  await until('market_0', 401, key);
});

test('a key of one market is unknown to the other, and reads no figures of it', async () => {
  const made = await risk('keys', 'create', '--role', 'operator', '--owner', 'ops', '--json');
  const { key } = made.value;
  await expectProblem(await ask('/v1/me', 'market_1', { key }), 401);
  expect((await ask('/v1/me', 'market_0', { key })).status).toBe(200);
  const metricsOf = async (ofKey: string) =>
    await (await ask('/metrics', null, { key: ofKey })).text();
  const [own, all] = [await metricsOf(key), await metricsOf(KEY)];
  const accepted = (market: string) =>
    new RegExp(`^risk_transactions_accepted_total{[^}]*market="${market}"[^}]*} [1-9]`, 'm');
  expect(own).toMatch(accepted('market_0'));
  expect(own).not.toContain('market_1');
  expect(all).toMatch(accepted('market_0'));
  expect(all).toMatch(accepted('market_1'));
  expect(all.match(/^risk_process_cpu_seconds_total\{/gm)).toHaveLength(1);
  expect(all.match(/^# TYPE risk_http_request_duration_seconds /gm)).toHaveLength(1);
  await expectProblem(await ask('/metrics', null, { key: 'nobody-has-this-key' }), 401);
});

test('what no market of the API is, or another market has, is refused by name', async () => {
  const unknown = await expectProblem(await post('market_9'), 400);
  expect(unknown.body).toMatchObject({
    type: 'urn:risk:problem:unknown-market',
    detail: "This API serves market_0, market_1, and not the market 'market_9'.",
  });
  const elsewhere = await expectProblem(await post('market_0', { corridor: 'JP-KR' }), 422);
  expect(elsewhere.body.errors).toEqual([
    {
      pointer: '/corridor',
      detail: expect.stringMatching(/not 'JP-KR'; it is of market_1: send Risk-Market: market_1$/),
    },
  ]);
  const asked = { ...environment, RISK_URL: api.url, RISK_MARKET: 'market_1' };
  const { stdout } = await runRisk(['status', '--json'], asked);
  expect(stdout).toContain('JP-KR');
  expect(stdout).not.toContain('US-EG');
  // A browser sends a stream of events without the header.
  const headers = { Authorization: `Bearer ${KEY}`, Cookie: 'a=b; risk-market=market_1' };
  const answer = await answerOf(await fetch(`${api.url}/v1/status`, { headers }));
  expect(answer.body).toMatchObject({ corridors: [{ corridor: 'JP-KR' }] });
});

test.each([
  ['market_1', 'market_0'],
  ['market_0', 'market_1'],
])('posts that wait for locked tables of %s delay none of %s', async (locked, free) => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const ended: number[] = [];
  try {
    await client.query(`begin; lock table ${locked}.transactions in access exclusive mode`);
    const waiting = Array.from({ length: IN_FLIGHT }, async () => {
      ended.push(await statusOf(locked));
    });
    const isFull = async () => (await statusOf(locked)) === 503 || ended.length > 0;
    await waitUntil(isFull, 5000, 'the slots to be taken');
    expect(ended).toEqual([]);
    for (let n = 0; n < 5 * IN_FLIGHT; n++) expect(await statusOf(free)).toBe(201);
    // All of them were answered while the others waited.
    expect(ended).toEqual([]);
    await client.query('rollback');
    await Promise.all(waiting);
  } finally {
    await client.end();
  }
});

const readiness = async () => await answerOf(await fetch(`${api.url}/readyz`));

test.each([
  ['market_1', 'market_0'],
  ['market_0', 'market_1'],
])('while the Postgres of %s is gone it is not ready, and %s serves', async (gone, free) => {
  proxies.get(gone)?.inflict({ kind: 'reset' });
  const isOut = async () => {
    // Posts alone open the breaker: nothing else asks this Postgres often.
    const posted = await statusOf(gone);
    const { status, breakers } = (await readiness()).body.markets[gone];
    return status === 'unready' && breakers.length > 0 && posted === 503;
  };
  await waitUntil(isOut, 15_000, `${gone} to be unready, with its breaker open`);
  for (let n = 0; n < IN_FLIGHT; n++) expect(await statusOf(free)).toBe(201);
  const { status, body } = await readiness();
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { status: 'ready', markets: { [free]: { status: 'ready', breakers: [] } } },
  });
  proxies.get(gone)?.heal();
  await until(gone, 201);
});

test('a market that cannot be opened at the start is served once it can', async () => {
  await using away = await startTcpProxy(database.url);
  away.inflict({ kind: 'reset' });
  const late = await runApiHere({
    ...{ ...environment, MARKET_1_DATABASE_URL: away.url, RISK_SCHEMA_WAIT_MS: '0' },
  });
  try {
    const url = `${late.url}/v1/me`;
    const headers = { Authorization: `Bearer ${KEY}` };
    const other = { headers: { ...headers, 'Risk-Market': 'market_1' } };
    expect((await fetch(url, { headers })).status).toBe(200);
    const refused = await expectProblem(await fetch(url, other), 503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.body.detail).toBe('The market market_1 is not open yet.');
    expect((await fetch(`${late.url}/readyz`)).status).toBe(200);
    away.heal();
    await waitUntil(async () => (await fetch(url, other)).status === 200, 10_000, 'market_1');
  } finally {
    await late.stop();
  }
});

test('an API opens no more connections for two markets than its settings divide', async () => {
  const [row] = await database.sql<{ open: number; most: number }>(
    `select count(*)::int as open, (count(*) filter (where application_name = 'risk-api-probe'))::int as probes
       from pg_stat_activity where datname = current_database() and application_name like 'risk-api%'`,
  );
  // For each market half of the connections, half as many for searches, one for exports and two that probe.
  const most = 2 * (CONNECTIONS / 2 + CONNECTIONS / 4 + 1 + 2);
  expect(row).toMatchObject({ probes: 2 });
  expect(row?.open).toBeLessThanOrEqual(most);
});
