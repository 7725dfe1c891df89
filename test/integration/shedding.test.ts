/**
 * Goal: a request that would only wait is refused at once and cheaply, an admitted one is answered by its
 * deadline, and refusals end with the overload. Method: an API with few slots whose Postgres is locked, so that
 * requests stay in flight for as long as a test wants.
 */
import { expect, test } from 'vitest';
import { CORRIDORS } from '../../src/tools/simulate/geography.ts';
import { type Held, holdOpen } from '../support/hold-open.ts';
import { type RunningApi, startRunningApi } from '../support/running-api.ts';
import { answerOf, count, input, postBatch, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Locks inserts, so that submissions wait in the database until somebody lets go. */
async function lockTransactions(api: RunningApi): Promise<Held> {
  // The month exists after this post; the first row of a month would wait for something else, to make the month.
  expect((await postOne(api, input())).status).toBe(201);
  return await holdOpen(api.database, 'lock table market.transactions in access exclusive mode');
}

/** Submissions that wait for the lock. Live figures wait for it as well, to read, and are not counted. */
const waiting = async (api: RunningApi): Promise<number> => {
  const [row] = await api.testDatabase.sql<{ waiting: number }>(
    `select count(*)::int as waiting from pg_locks
      where relation = 'market_0.transactions'::regclass and mode = 'RowExclusiveLock' and not granted`,
  );
  return row?.waiting ?? 0;
};

/** Two of them have too many rows for one commit, so each waits in the database by itself. */
const LARGE_ROWS = 501;
const largeBatch = (more: Parameters<typeof input>[0] = {}) =>
  Array.from({ length: LARGE_ROWS }, () => input(more));

test('beyond its places an API refuses submissions at once, and answers the rest', async () => {
  await using api = await startRunningApi({ RISK_REQUESTS_IN_FLIGHT_MAX: '3' });
  await using lock = await lockTransactions(api);
  const held = Array.from({ length: 3 }, () => postBatch(api, largeBatch()));
  await waitUntil(async () => (await waiting(api)) === 3, 10_000, 'three to be in flight');
  const refused = await postOne(api, input(), { 'X-Request-Id': 'one-of-many' });
  expect(refused.status).toBe(503);
  expect(refused.body).toEqual({
    type: 'urn:risk:problem:overloaded',
    title: 'Temporarily reduced capacity',
    status: 503,
    detail: 'Too many requests are in flight.',
    instance: 'one-of-many',
    help: '/docs/problems#overloaded',
  });
  expect(Object.fromEntries(refused.headers)).toMatchObject({
    'content-type': 'application/problem+json',
    'retry-after': expect.stringMatching(/^[12]$/),
    'ratelimit-policy': '"in-flight";q=3;qu="concurrent-requests"',
    ratelimit: '"in-flight";r=0;t=1',
    'x-content-type-options': 'nosniff',
    'x-request-id': 'one-of-many',
  });
  expect((await api.request('/v1/keys')).status).toBe(200);
  expect((await api.request('/readyz')).status).toBe(200);
  const metrics = await (await api.request('/metrics')).text();
  expect(metrics).toMatch(/^risk_http_requests_shed_total\{reason="in-flight",.*\} 1$/m);
  expect(metrics).toMatch(
    /duration_seconds_count\{method="POST",route="\(shed\)",status="503",.*\} 1$/m,
  );
  await lock.letGo();
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 200]);
  expect((await postOne(api, input())).status).toBe(201);
  expect(await count(api, 'transactions')).toBe(1 + 3 * LARGE_ROWS + 1);
});

test('bytes in flight are bounded beyond a few requests', async () => {
  await using api = await startRunningApi({ RISK_BODY_BYTES_IN_FLIGHT_MAX: '2000' });
  expect((await postBatch(api, largeBatch())).status).toBe(200);
  await using lock = await lockTransactions(api);
  // A corridor's commits take a third of the sessions at most.
  const corridors = CORRIDORS.slice(0, 8);
  const held = corridors.map(({ name }) => postBatch(api, largeBatch({ corridor: name })));
  await waitUntil(async () => (await waiting(api)) === 8, 10_000, 'eight to be in flight');
  const { status, body } = await postBatch(api, largeBatch());
  expect([status, body.detail]).toEqual([503, 'Too many bytes of requests are in flight.']);
  await lock.letGo();
  expect((await Promise.all(held)).map((answer) => answer.status)).toEqual(new Array(8).fill(200));
});

test('a handler that hangs is answered by the deadline', { retry: 2 }, async () => {
  await using api = await startRunningApi({
    RISK_REQUEST_TIMEOUT_MS: '500',
    RISK_STATEMENT_TIMEOUT_MS: '20000',
  });
  await using lock = await lockTransactions(api);
  const startedAt = performance.now();
  const { status, headers, body } = await answerOf(await api.post('/v1/transactions', input()));
  const tookMs = performance.now() - startedAt;
  expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  expect(body.detail).toBe('The request took longer than its deadline.');
  expect(tookMs).toBeGreaterThanOrEqual(500);
  expect(tookMs).toBeLessThan(2500);
  await lock.letGo();
});
