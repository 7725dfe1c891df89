/**
 * Goal: a dependency that is gone, frozen or refuses costs a caller two seconds at most, once; then requests
 * are refused at once, the state is reported, and recovery is noticed within seconds. Method: real services,
 * stopped, frozen and spoiled under an API.
 */
import { expect, test } from 'vitest';
import type { StatusJson } from '../../src/rooms/status/queries/pipeline-status.ts';
import { runApiHere } from '../support/api-here.ts';
import { freeze } from '../support/freeze.ts';
import { runRisk } from '../support/run-risk.ts';
import { RUNNING_API_KEY, type RunningApi, startRunningApi } from '../support/running-api.ts';
import { startTestPostgres } from '../support/services.ts';
import { answerOf, count, input, postBatch, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const REFUSED_MS_MAX = 2000;

/** An API on a Postgres of its own. */
async function openOnOwnPostgres() {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await startTestPostgres());
  const environment = {
    DATABASE_URL: postgres.url,
    REDIS_URL: 'redis://127.0.0.1:1',
    RISK_REDIS_TIMEOUT_MS: '200',
    RISK_BOOTSTRAP_KEY: RUNNING_API_KEY,
    PORT: '0',
  };
  expect((await runRisk(['migrate'], environment)).code).toBe(0);
  const { url, stop, log } = await runApiHere(environment);
  stack.defer(async () => void (await stop()));
  const headers = {
    Authorization: `Bearer ${RUNNING_API_KEY}`,
    'Content-Type': 'application/json',
  };
  const owned = stack.move();
  return {
    postgres,
    /** The last lines of the API and of Postgres. */
    said: () => `${log().slice(-3000)}\n${postgres.logTail()}`,
    risk: (...args: string[]) => runRisk(args, { RISK_URL: url, RISK_API_KEY: RUNNING_API_KEY }),
    get: async (path: string) => await answerOf(await fetch(url + path, { headers })),
    post: async () => {
      const startedAt = performance.now();
      const body = JSON.stringify(input());
      const response = await fetch(`${url}/v1/transactions`, { method: 'POST', headers, body });
      return { ...(await answerOf(response)), tookMs: performance.now() - startedAt };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('Postgres frozen: refused within two seconds, then at once; back within seconds', {
  retry: 2,
}, async () => {
  await using api = await openOnOwnPostgres();
  expect((await api.post()).status).toBe(201);
  using frozen = freeze(api.postgres);
  const first = await Promise.all(Array.from({ length: 30 }, () => api.post()));
  expect(new Set(first.map(({ status }) => status))).toEqual(new Set([503]));
  expect(first.every(({ headers }) => headers.get('retry-after') !== null)).toBe(true);
  expect(Math.max(...first.map(({ tookMs }) => tookMs))).toBeLessThan(REFUSED_MS_MAX);
  const next = await Promise.all(Array.from({ length: 30 }, () => api.post()));
  expect(new Set(next.map(({ status }) => status))).toEqual(new Set([503]));
  expect(Math.max(...next.map(({ tookMs }) => tookMs))).toBeLessThan(1000);
  expect(next[0]?.body).toMatchObject({ type: 'urn:risk:problem:unavailable', status: 503 });
  expect((await api.get('/livez')).status).toBe(200);
  const ready = await api.get('/readyz');
  expect([ready.status, ready.body]).toEqual([
    503,
    expect.objectContaining({ postgres: 'unavailable', degradation: 4 }),
  ]);
  expect(ready.body.breakers).toEqual(expect.arrayContaining(['postgres:open', 'redis:open']));
  const said = await api.risk('controls', 'set', 'stop', 'corridor:US-EG', '--reason', 'x');
  expect([said.code, said.stderr]).toEqual([
    1,
    expect.stringMatching(
      /^risk controls: the API answered 503: .* Postgres and Redis do not answer\.$/m,
    ),
  ]);
  const metrics = await api.get('/metrics');
  expect(metrics.status).toBe(200);
  expect(metrics.body).toMatch(/^risk_breaker_state\{breaker="postgres",.*\} 2$/m);
  expect((await api.get('/v1/transactions')).status).toBe(503);
  frozen.thaw();
  await waitUntil(async () => (await api.post()).status === 201, 5000, 'submissions to be taken');
});

test('Postgres frozen: status tells what was last read, and that it is old', async () => {
  await using api = await openOnOwnPostgres();
  const readStatus = async () => await api.get('/v1/status');
  expect((await readStatus()).body).toMatchObject({ postgres: 'up', totals: { accepted: 0 } });
  using frozen = freeze(api.postgres);
  const { status, body } = await readStatus();
  expect([status, body]).toEqual([
    200,
    expect.objectContaining({ postgres: 'down', breakers: expect.any(Array), unappended: null }),
  ]);
  expect(body.totals).toMatchObject({
    accepted: 0,
    scored: 0,
    dead_lettered: 0,
    pending: null,
    on_hold: null,
  });
  frozen.thaw();
  await waitUntil(async () => (await readStatus()).body.postgres === 'up', 10_000, 'new figures');
});

const metric = async (api: RunningApi, line: string) => {
  const text = await (await api.request('/metrics')).text();
  return Number(new RegExp(`^${line.replace(/[{}]/g, '\\$&')}.* (\\S+)$`, 'm').exec(text)?.[1]);
};

test('a corridor whose stream cannot be written waits alone', async () => {
  await using api = await startRunningApi();
  await api.redis.set('{market_0:US-EG:0}:transactions', 'not a stream');
  const readStatus = async () => (await (await api.request('/v1/status')).json()) as StatusJson;
  for (let n = 0; n < 5; n++) {
    const { status } = await postBatch(api, [input(), input({ corridor: 'US-MX' })]);
    expect(status).toBe(200);
  }
  expect(await api.redis.xlen('{market_0:US-MX:0}:transactions')).toBe(5);
  expect(await metric(api, 'risk_breaker_state{breaker="streams:US-EG",')).toBe(2);
  expect(await metric(api, 'risk_breaker_opened_total{breaker="streams:US-EG",')).toBe(1);
  expect(await metric(api, 'risk_breaker_state{breaker="redis",')).toBe(0);
  expect((await postOne(api, input())).status).toBe(201);
  await api.redis.del('{market_0:US-EG:0}:transactions');
  const { breakers, degradation, corridors } = await readStatus();
  expect({ breakers, degradation }).toEqual({ breakers: ['streams:US-EG:open'], degradation: 0 });
  const corridor = (name: string) => corridors?.find((row) => row.corridor === name);
  expect(corridor('US-EG')).toMatchObject({ breakers: ['streams:US-EG:open'], degradation: 2 });
  expect(corridor('US-MX')).toMatchObject({ breakers: [], degradation: 0 });
  expect(await count(api, 'transactions')).toBe(11);
});
