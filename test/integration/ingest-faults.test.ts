/**
 * Goal: no failure behind the API loses or doubles an accepted transaction, and each is answered truthfully and
 * soon. Method: real services, stopped, filled, demoted, cut off or locked under an API process; the rows are
 * counted afterwards.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { runApiHere } from '../support/api-here.ts';
import { insertKey } from '../support/key-rows.ts';
import { runRisk } from '../support/run-risk.ts';
import {
  RUNNING_API_KEY,
  type RunningApi,
  spawnRunningApi,
  startRunningApi,
} from '../support/running-api.ts';
import { startTestPostgres } from '../support/services.ts';
import { readRows } from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { answerOf, count, input, postBatch, postOne } from '../support/submit.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

const AGE_MS = 500;
const stream = '{market_0:US-EG:0}:transactions';

const SETTINGS = { RISK_REDIS_TIMEOUT_MS: '500' };
type Settings = Readonly<Record<string, string>>;

const open = (environment: Settings = {}) => startRunningApi({ ...SETTINGS, ...environment });
/** An API that a test ends. */
const openProcess = (environment: Settings) => spawnRunningApi({ ...SETTINGS, ...environment });

/** Waits until each row is as old as rows that the reconciler looks for, then runs `risk reconcile` until none is left. */
async function reconcile(api: RunningApi): Promise<void> {
  const young = `select from open_rows where opened_at > now() - ${AGE_MS} * interval '1 ms'`;
  const isAged = async () => (await api.testDatabase.sql(young)).length === 0;
  await waitUntil(isAged, 20_000, 'all rows to be of age');
  await waitUntil(
    async () => {
      const { code, stderr } = await runRisk(['reconcile', '--json'], {
        DATABASE_URL: api.testDatabase.url,
        REDIS_URL: api.redisService.url,
        RISK_RECONCILE_AGE_MS: String(AGE_MS),
      });
      expect([code, stderr]).toEqual([0, '']);
      const left = await api.testDatabase.sql('select from open_rows where is_left');
      return left.length === 0;
    },
    20_000,
    'all rows to be appended',
  );
}

async function streamedIds(api: RunningApi): Promise<string[]> {
  const payloads = await readEntries(api.redis, stream);
  return payloads.map(({ transaction }) => transaction.transactionId);
}

test('Postgres that is gone is 503 with Retry-After, soon; then it is back without a restart', {
  retry: 2,
}, async () => {
  await using postgres = await startTestPostgres();
  await migrate({ url: postgres.url, market: 'market_0', corridors: [] });
  await using api = await openOn(postgres.url);
  expect((await api.post(input())).status).toBe(201);
  await postgres.stop();
  const startedAt = performance.now();
  const answers = await Promise.all(Array.from({ length: 5 }, () => api.post(input())));
  expect(performance.now() - startedAt).toBeLessThan(4000);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  expect(answers[0]?.headers.get('retry-after')).toBe('1');
  expect(JSON.stringify(answers[0]?.body)).not.toMatch(/ECONN|connect|127\.0\.0\.1/);
  await waitUntil(async () => (await api.get('/readyz')).status === 503, 5000, 'unready');
  expect((await api.get('/livez')).status).toBe(200);
  await postgres.start();
  await waitUntil(async () => (await api.post(input())).status === 201, 10_000, 'it is back');
});

describe('one Postgres for several faults', () => {
  let shared: RunningApi;
  beforeAll(async () => {
    // A slower append would leave its row to the reconciler.
    shared = await open({ RISK_STATEMENT_TIMEOUT_MS: '1000', RISK_REDIS_TIMEOUT_MS: '10000' });
  });
  afterAll(() => shared[Symbol.asyncDispose]());
  beforeEach(() => shared.reset());

  test.each([
    ['was carried out', true, 1],
    ['never arrived', false, 1],
    ['was carried out, twice over', true, 2],
  ])('cut off at a commit that %s: accepted, stored once', async (_name, forwarded, times) => {
    await using proxy = await startTcpProxy(shared.testDatabase.url);
    await using api = await openOn(proxy.url, shared.redisService.url);
    expect(await api.post(input())).toMatchObject({ status: 201 });
    proxy.inflict({ kind: 'cut', at: 'claim-transactions', forwarded, times });
    const sent = input();
    const first = await api.post(sent);
    expect(first).toMatchObject({ status: 201, body: { status: 'accepted' } });
    expect(proxy.effects()).toBe(forwarded && times > 1 ? 2 : 1);
    const again = await api.post(sent);
    expect([again.status, again.body.transaction_id]).toEqual([200, first.body.transaction_id]);
    const { transaction_id } = first.body;
    expect(await count(shared, `transactions where transaction_id = '${transaction_id}'`)).toBe(1);
    expect(await count(shared, 'transactions')).toBe(2);
    expect(await streamedIds(shared)).toContain(transaction_id);
  });

  test('with a rival that holds the key beyond the deadline: 409', async () => {
    const sent = input();
    await shared.database.session(async (client) => {
      await client.query('begin');
      await client.query(insertKey(), [sent['idempotency_key']]);
      const { status, body } = await postOne(shared, sent);
      expect([status, body.type]).toEqual([409, 'urn:risk:problem:still-running']);
      await client.query('rollback');
    });
    expect((await postOne(shared, sent)).status).toBe(201);
  });
});

describe('Redis', () => {
  test('that hangs delays one request by its timeout, the next ones not at all', {
    retry: 2,
  }, async () => {
    await using api = await open();
    await postOne(api, input());
    api.redisService.pause();
    expect((await postOne(api, input())).status).toBe(201);
    const startedAt = performance.now();
    expect((await postOne(api, input())).status).toBe(201);
    expect(performance.now() - startedAt).toBeLessThan(450);
    api.redisService.resume();
  });

  test.each([
    ['full', (api: RunningApi) => api.redis.config('SET', 'maxmemory', '1')],
    ['demoted', (api: RunningApi) => api.redis.replicaof('127.0.0.1', 1)],
  ])('that is %s does not stop the API', async (_name, spoil) => {
    await using api = await open();
    await spoil(api);
    const { status, body } = await postBatch(api, [input(), input()]);
    expect([status, body.accepted]).toEqual([200, 2]);
    const isLeft = async () => (await readRows(api.database.query)).some((row) => row.isLeft);
    await waitUntil(isLeft, 5000, 'the row to be left');
    const ready = await waitUntil(
      async () => {
        const answer = await answerOf(await api.request('/readyz'));
        return answer.body.redis === 'unavailable' && answer.status === 200;
      },
      5000,
      'readiness to report it',
    );
    expect(ready).toBe(true);
    await api.redis.config('SET', 'maxmemory', '0');
    await api.redis.replicaof('NO', 'ONE');
    await reconcile(api);
    expect(await streamedIds(api)).toHaveLength(2);
  });
});

describe('the API', () => {
  test('killed between its commit and its append: the row is appended from Postgres', async () => {
    await using api = await openProcess({ RISK_TEST_FAILPOINT: 'api-after-commit' });
    await postOne(api, input()).catch(() => undefined);
    expect((await api.process.exited).signal).toBe('SIGKILL');
    expect([await count(api, 'transactions'), await streamedIds(api)]).toEqual([1, []]);
    const isAppended = async () => {
      await reconcile(api);
      return (await streamedIds(api)).length === 1;
    };
    await waitUntil(isAppended, 20_000, 'the row to be appended');
  });

  test('told to stop finishes what it has and exits 0; what it accepted is appended', async () => {
    // A slower append would leave its row to the reconciler.
    await using api = await openProcess({ RISK_REDIS_TIMEOUT_MS: '10000' });
    const posts = Array.from({ length: 200 }, () => postOne(api, input()).catch(() => undefined));
    await waitUntil(async () => (await count(api, 'transactions')) > 0, 5000, 'a first one');
    api.process.kill('SIGTERM');
    const answers = await Promise.all(posts);
    expect(await api.process.exited).toEqual({ code: 0, signal: null });
    const accepted = answers.filter((answer) => answer?.status === 201);
    expect(await count(api, 'transactions')).toBe(accepted.length);
    const rows = await readRows(api.database.query);
    expect(rows.some(({ isLeft }) => isLeft)).toBe(false);
  });

  test('without a schema exits 1 and names migrate; without a url exits 78 and names it', async () => {
    await using postgres = await startTestPostgres();
    for (const [role, urls] of [
      ['api', /DATABASE_URL[\s\S]*REDIS_URL/],
      ['trainer', /DATABASE_URL/],
    ] as const) {
      const missing = await runRisk([role], {
        DATABASE_URL: postgres.url,
        REDIS_URL: 'redis://127.0.0.1:1',
        RISK_SCHEMA_WAIT_MS: '300',
      });
      expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('risk migrate')]);
      const { code, stderr } = await runRisk([role], {});
      expect(code).toBe(78);
      expect(stderr).toMatch(urls);
    }
  });

  test('refuses to start on a given port that is taken', async () => {
    await using api = await open();
    const { port } = new URL(api.url);
    const environment = {
      DATABASE_URL: api.testDatabase.url,
      REDIS_URL: api.redisService.url,
    };
    for (const [role, setting] of [
      ['api', 'PORT'],
      ['worker', 'RISK_WORKER_PORT'],
      ['trainer', 'RISK_WORKER_PORT'],
    ] as const) {
      const { code, stderr } = await runRisk([role], { ...environment, [setting]: port });
      const taken = `port ${port} of 127.0.0.1 is taken: set ${setting} to another`;
      expect([code, stderr]).toEqual([1, expect.stringContaining(taken)]);
    }
  });
});

/** An API on a migrated Postgres, and on any Redis or none. */
async function openOn(databaseUrl: string, redisUrl = 'redis://127.0.0.1:1') {
  const environment = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    RISK_BOOTSTRAP_KEY: RUNNING_API_KEY,
    RISK_CONNECT_TIMEOUT_MS: '1500',
    PORT: '0',
  };
  const { url, stop } = await runApiHere(environment);
  const headers = {
    Authorization: `Bearer ${RUNNING_API_KEY}`,
    'Content-Type': 'application/json',
  };
  return {
    get: (path: string) => fetch(url + path),
    post: async (body: object) =>
      await answerOf(
        await fetch(`${url}/v1/transactions`, {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
        }),
      ),
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
