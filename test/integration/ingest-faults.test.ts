/**
 * Goal: what goes wrong behind the API never loses or doubles what was accepted, and is answered
 * honestly and soon. Method: real services, stopped, filled, demoted, cut off or locked under an API
 * process; the rows are counted afterwards.
 */
import { describe, expect, test } from 'vitest';
import { insertKey } from '../support/key-rows.ts';
import { runRisk, spawnRisk } from '../support/risk.ts';
import { RUNNING_API_KEY, type RunningApi, startRunningApi } from '../support/running-api.ts';
import { startTestPostgres } from '../support/services.ts';
import { readEntries } from '../support/stream-entries.ts';
import { answerOf, count, input, postBatch, postOne } from '../support/submit.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

const AGE_MS = 500;
const stream = '{market_0:US-EG:0}:transactions';

const open = (environment: Record<string, string> = {}) =>
  startRunningApi({ RISK_REDIS_TIMEOUT_MS: '500', ...environment });

/** Runs `risk reconcile` until nothing is open, once the batches are old enough. */
async function reconcile(api: RunningApi): Promise<void> {
  await waitUntil(
    async () => {
      const { code, stderr } = await runRisk(['reconcile', '--json'], {
        DATABASE_URL: api.testDatabase.url,
        REDIS_URL: api.redisService.url,
        RISK_RECONCILE_AGE_MS: String(AGE_MS),
      });
      expect([code, stderr]).toEqual([0, '']);
      return (await count(api, 'ingest_batches')) === 0;
    },
    20_000,
    'all batches to be closed',
  );
}

async function streamedIds(api: RunningApi): Promise<string[]> {
  const payloads = await readEntries(api.redis, stream);
  return payloads.map(({ transaction }) => transaction.transactionId);
}

describe('Redis', () => {
  test('that is gone does not stop the API; the reconciler appends what it accepted', async () => {
    await using api = await open();
    await api.redisService.kill();
    const answers = await Promise.all(Array.from({ length: 20 }, () => postBatch(api, [input()])));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const { body } = await answerOf(await api.request('/readyz'));
    expect(body).toMatchObject({ status: 'ready', postgres: 'ok', redis: 'unavailable' });
    const [owed] = await api.testDatabase.sql<{ ids: number }>(
      'select sum(cardinality(transaction_ids))::int as ids from ingest_batches',
    );
    expect(owed?.ids).toBe(20);
    await api.redisService.start();
    await reconcile(api);
    expect((await streamedIds(api)).sort()).toEqual(
      answers.map((answer) => answer.body.results[0].transaction_id).sort(),
    );
    // One a commit, which batches share.
    expect(await metric(api, 'risk_stream_append_failures_total')).toBeGreaterThan(0);
  });

  test('that hangs delays one request by its timeout, the next ones not at all', async () => {
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
    expect(await count(api, 'ingest_batches')).toBe(1);
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

  test('without the group takes entries all the same', async () => {
    await using api = await open();
    await api.redis.flushall();
    expect((await postOne(api, input())).status).toBe(201);
    expect(await streamedIds(api)).toHaveLength(1);
  });

  test('whose stream is full leaves the rest to the reconciler, other corridors go on', async () => {
    await using api = await open({ RISK_STREAM_ENTRIES_MAX: '100' });
    const items = Array.from({ length: 100 }, () => input());
    expect((await postBatch(api, items)).status).toBe(200);
    const { status } = await postBatch(api, [input(), input({ corridor: 'US-MX' })]);
    expect(status).toBe(200);
    expect(await streamedIds(api)).toHaveLength(100);
    expect(await api.redis.xlen('{market_0:US-MX:0}:transactions')).toBe(1);
    const isOpen = async () => (await count(api, 'ingest_batches')) === 1;
    await waitUntil(isOpen, 5000, 'the first batch to be closed');
  });
});

describe('Postgres', () => {
  test('that is gone is 503 with Retry-After, soon; then it is back without a restart', async () => {
    await using postgres = await startTestPostgres();
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

  test.each([
    ['was carried out', true, 1],
    ['never arrived', false, 1],
    ['was carried out, twice over', true, 2],
  ])('cut off at a commit that %s: accepted, stored once', async (_name, forwarded, times) => {
    await using shared = await open();
    await using proxy = await startTcpProxy(shared.testDatabase.url);
    await using api = await openOn(proxy.url, shared.redisService.url);
    await api.post(input());
    proxy.inflict({ kind: 'cut', at: 'claim-transactions', forwarded, times });
    const sent = input();
    const first = await api.post(sent);
    expect(proxy.effects()).toBe(forwarded && times > 1 ? 2 : 1);
    expect([first.status, first.body.status]).toEqual([201, 'accepted']);
    const again = await api.post(sent);
    expect([again.status, again.body.transaction_id]).toEqual([200, first.body.transaction_id]);
    const { transaction_id } = first.body;
    expect(await count(shared, `transactions where transaction_id = '${transaction_id}'`)).toBe(1);
    expect(await count(shared, 'transactions')).toBe(2);
    expect(await streamedIds(shared)).toContain(transaction_id);
  });

  test('with a rival that holds the key beyond the deadline: 409', async () => {
    await using api = await open({ RISK_STATEMENT_TIMEOUT_MS: '1000' });
    const sent = input();
    await api.database.session(async (client) => {
      await client.query('begin');
      await client.query(insertKey(), [sent['idempotency_key']]);
      const { status, body } = await postOne(api, sent);
      expect([status, body.type]).toEqual([409, 'urn:risk:problem:still-running']);
      await client.query('rollback');
    });
    expect((await postOne(api, sent)).status).toBe(201);
  });

  test('whose table is locked is 503, not a conflict', async () => {
    await using api = await open({ RISK_STATEMENT_TIMEOUT_MS: '1000' });
    await api.database.session(async (client) => {
      await client.query('begin');
      await client.query('lock table transactions in access exclusive mode');
      expect((await postOne(api, input())).status).toBe(503);
      await client.query('rollback');
    });
  });
});

describe('the API', () => {
  test('killed between commit and append loses nothing', async () => {
    await using api = await open({ RISK_TEST_FAILPOINT: 'api-after-commit:3' });
    const sent = [input(), input(), input()];
    await postOne(api, sent[0] ?? {});
    await postOne(api, sent[1] ?? {});
    await expect(postOne(api, sent[2] ?? {})).rejects.toThrow();
    expect(await api.process.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(await count(api, 'transactions')).toBe(3);
    await reconcile(api);
    const ids = await api.testDatabase.sql<{ id: string }>(
      'select transaction_id as id from transactions order by 1',
    );
    expect([...new Set(await streamedIds(api))].sort()).toEqual(ids.map(({ id }) => id));
  });

  test('told to stop finishes what it has and exits 0; what it accepted is closed', async () => {
    await using api = await open();
    const posts = Array.from({ length: 200 }, () => postOne(api, input()).catch(() => undefined));
    await waitUntil(async () => (await count(api, 'transactions')) > 0, 5000, 'a first one');
    api.process.kill('SIGTERM');
    const answers = await Promise.all(posts);
    expect(await api.process.exited).toEqual({ code: 0, signal: null });
    const accepted = answers.filter((answer) => answer?.status === 201);
    expect(await count(api, 'transactions')).toBe(accepted.length);
    expect(await count(api, 'ingest_batches')).toBe(0);
  });

  test('without a schema exits 1 and names migrate; without a url exits 78 and names it', async () => {
    await using postgres = await startTestPostgres();
    const missing = await runRisk(['api'], {
      DATABASE_URL: postgres.url,
      REDIS_URL: 'redis://127.0.0.1:1',
      RISK_SCHEMA_WAIT_MS: '300',
    });
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('risk migrate')]);
    const { code, stderr } = await runRisk(['api'], {});
    expect(code).toBe(78);
    expect(stderr).toMatch(/DATABASE_URL[\s\S]*REDIS_URL/);
  });

  test('refuses to start on a given port that is taken', async () => {
    await using api = await open();
    const { port } = new URL(api.url);
    const environment = {
      DATABASE_URL: api.testDatabase.url,
      REDIS_URL: api.redisService.url,
    };
    await using given = spawnRisk(['api'], { ...environment, PORT: port });
    expect((await given.exited).code).toBe(1);
    expect(given.stderr()).toContain(`risk api: port ${port} of 127.0.0.1 is taken`);
  });
});

async function metric(api: RunningApi, name: string): Promise<number> {
  const text = await (await api.request('/metrics')).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** An API on a given Postgres, which it migrates first, and on any Redis or none. */
async function openOn(databaseUrl: string, redisUrl = 'redis://127.0.0.1:1') {
  const environment = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    RISK_BOOTSTRAP_KEY: RUNNING_API_KEY,
    RISK_CONNECT_TIMEOUT_MS: '1500',
    PORT: '0',
  };
  const { code, stderr } = await runRisk(['migrate'], environment);
  expect([code, stderr]).toEqual([0, '']);
  const process = spawnRisk(['api'], environment);
  const [, url = ''] = await process.waitFor(/"url":"(http:[^"]+)"/, 20_000);
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
    [Symbol.asyncDispose]: async () => {
      process.kill('SIGTERM');
      await process.exited;
    },
  };
}
