/**
 * Goal: a request that would only wait is refused at once and cheaply, an admitted one is answered by its
 * deadline, and refusals end with the overload. Method: an API with few slots whose Postgres is locked, so that
 * requests stay in flight for as long as a test wants.
 */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { CORRIDORS } from '../../src/tools/simulate/geography.ts';
import { lockTransactions, waiting } from '../support/lock-transactions.ts';
import { sendRaw } from '../support/raw-http.ts';
import { RUNNING_API_KEY, startRunningApi } from '../support/running-api.ts';
import { answerOf, count, input, postBatch, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

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

test('a refusal does not wait for the body, and the connection stays fit for use', {
  retry: 2,
}, async () => {
  await using api = await startRunningApi({ RISK_REQUESTS_IN_FLIGHT_MAX: '1' });
  await using lock = await lockTransactions(api);
  const held = postOne(api, input());
  await waitUntil(async () => (await waiting(api)) === 1, 10_000, 'one to be in flight');
  const head = `POST /v1/transactions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${RUNNING_API_KEY}\r\nContent-Type: application/json\r\n`;
  const startedAt = performance.now();
  expect(await sendRaw(api.url, `${head}Content-Length: 4000000\r\n\r\n{`)).toMatch(
    /^HTTP\/1\.1 503 [\s\S]*retry-after: [12]\r\n/i,
  );
  expect(performance.now() - startedAt).toBeLessThan(1000);
  const body = JSON.stringify(input());
  const request = `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const socket = connect({ port: Number(new URL(api.url).port), host: '127.0.0.1' });
  let heard = '';
  socket.setEncoding('utf8').on('data', (part) => {
    heard += part;
  });
  const answers = () => [...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  socket.write(request);
  await waitUntil(() => answers().length === 1, 5000, 'the refusal');
  await lock.letGo();
  await held;
  socket.write(request);
  await waitUntil(() => answers().length === 2, 5000, 'the answer on the same connection');
  expect(answers()).toEqual(['503', '201']);
  socket.destroy();
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

test('a Postgres that makes everybody wait raises the level, not its breaker, and not for long', async () => {
  await using api = await startRunningApi();
  const level = async () => {
    const { body } = await answerOf(await api.request('/readyz'));
    return [body.status, body.degradation, body.breakers];
  };
  expect(await level()).toEqual(['ready', 0, []]);
  await using lock = await lockTransactions(api);
  const held = postOne(api, input());
  await waitUntil(async () => (await level())[1] === 2, 5000, 'the level to rise');
  expect(await level()).toEqual(['ready', 2, []]);
  await lock.letGo();
  const { status, headers } = await held;
  expect([status, headers.get('x-risk-degradation')]).toEqual([201, '2']);
  await waitUntil(async () => (await level())[1] === 0, 30_000, 'the level to fall');
  expect((await postOne(api, input())).headers.get('x-risk-degradation')).toBeNull();
});
