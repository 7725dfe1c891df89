/**
 * Goal: a limit lets its rate and its burst through, over all API processes together, and refuses with what a client needs to know; other
 * scopes notice nothing. Method: three API processes on one pair of stores.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type RiskProcess, spawnRisk } from '../../../support/risk.ts';
import { limitScope } from '../../../support/rooms/corridors/requests.ts';
import { RUNNING_API_KEY, type RunningApi, spawnRunningApi } from '../../../support/running-api.ts';
import { answerOf, count, input, postBatch, postJson, postOne } from '../../../support/submit.ts';
import { THOROUGH } from '../../../support/thorough.ts';
import { waitUntil } from '../../../support/wait-until.ts';

/** After a refusal. Eight loops still ask twice as often as a process lets requests through. */
const REFUSED_PAUSE_MS = 80;
/** After the refusal of a batch. Three times eight loops still ask six times as often as batches pass. */
const REFUSED_BATCH_PAUSE_MS = 240;

let api: RunningApi;
const others: RiskProcess[] = [];
const urls: string[] = [];
beforeAll(async () => {
  api = await spawnRunningApi();
  urls.push(api.url);
  const environment = {
    DATABASE_URL: api.testDatabase.url,
    REDIS_URL: api.redisService.url,
    PORT: '0',
    LOG_LEVEL: 'info',
  };
  others.push(spawnRisk(['api'], environment), spawnRisk(['api'], environment));
  for (const one of others) {
    const [, url = ''] = await one.waitFor(/"url":"(http:[^"]+)"/, 30_000);
    urls.push(url);
  }
}, 60_000);
afterAll(async () => {
  for (const one of others) await one[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

const logs = () => [api.log(), ...others.map((one) => one.stderr())];
/** Makes a change of limits that all processes have read afterwards. */
async function changed(change: () => Promise<unknown>): Promise<void> {
  const times = () => logs().map((log) => log.split('"msg":"limits"').length);
  const before = times();
  await change();
  const isRead = async () => times().every((now, at) => now > (before[at] ?? 0));
  await waitUntil(isRead, 5000, 'all processes to read the limits');
}
const limit = (scope: string, command: object) => changed(() => limitScope(api, scope, command));

let tests = 0;
afterEach(async () => {
  // A process that read nothing since the tables were empty before would see no change; a new row is one for each of them. Both
  // statements are one commit: a process that read between two would seem to have read the second.
  tests += 1;
  await changed(() =>
    api.testDatabase.sql(
      `truncate limits;
       insert into limits (scope, kind, rate_per_second, burst, set_by, reason)
       values ('client:after-${tests}', 'requests', 1, 1, 'a test', 'a test')`,
    ),
  );
  await api.redis.flushall();
  // A process whose breaker of Redis is open grants its share, on top of what Redis grants afterwards.
  for (const url of urls) {
    const isClosed = async () => {
      const { body } = await answerOf(await fetch(`${url}/readyz`));
      return body.breakers.length === 0;
    };
    await waitUntil(isClosed, 20_000, 'the breakers to be closed');
  }
});

const headers = { Authorization: `Bearer ${RUNNING_API_KEY}`, 'Content-Type': 'application/json' };

/**
 * Sends from eight loops a process for so long; a loop pauses after a refusal, as nothing is learnt from thousands of them.
 * @returns answers, and for how long at least and at most the quota was earned that let them through: from a first one that has
 *   passed to a refusal, and from the first request to the last answer
 */
async function hammer(
  at: readonly string[],
  ms: number,
  path: string,
  init: RequestInit,
  pauseMs = REFUSED_PAUSE_MS,
) {
  const startedAtMs = performance.now();
  let passed = 0;
  let refused = 0;
  let passedAtMs = Number.POSITIVE_INFINITY;
  let usedUpAtMs = startedAtMs;
  const loop = async (url: string) => {
    while (performance.now() - startedAtMs < ms) {
      const sentAtMs = performance.now();
      const answer = await fetch(`${url}${path}`, { ...init, headers });
      await answer.text();
      if (answer.status === 200) {
        passed += 1;
        passedAtMs = Math.min(passedAtMs, performance.now());
      } else if (answer.status !== 429) throw new Error(`answered ${answer.status}`);
      else {
        refused += 1;
        usedUpAtMs = Math.max(usedUpAtMs, sentAtMs);
        await delay(pauseMs);
      }
    }
  };
  await Promise.all(at.flatMap((url) => Array.from({ length: 8 }, () => loop(url))));
  const seconds = {
    least: (usedUpAtMs - passedAtMs) / 1000,
    most: (performance.now() - startedAtMs) / 1000,
  };
  return { passed, refused, seconds };
}

test.runIf(THOROUGH)(
  'three processes let a limit through within 2 %, and its burst',
  { retry: 2 },
  async () => {
    // A busy machine posts more than the fifteen that pass in a second.
    const transactions = Array.from({ length: 10 }, () => input());
    expect((await postBatch(api, transactions)).status).toBe(200);
    // The burst is two seconds of the rate: a busy machine that stands still for less loses nothing.
    const [RATE, BURST] = [150, 300];
    await limit('client:default', { kind: 'transactions', rate_per_second: RATE, burst: BURST });
    // Repeats are counted like new ones.
    const body = JSON.stringify({ transactions });
    const path = '/v1/transactions/batch';
    const post = { method: 'POST', body };
    const { passed, refused, seconds } = await hammer(
      urls,
      6000,
      path,
      post,
      REFUSED_BATCH_PAUSE_MS,
    );
    expect(refused).toBeGreaterThan(100);
    const earned = passed * transactions.length - BURST;
    // At the end three processes may hold a slice of 50 ms each.
    const held = 3 * RATE * 0.05;
    expect(earned + held).toBeGreaterThan(0.98 * RATE * seconds.least);
    expect(earned).toBeLessThan(1.02 * RATE * seconds.most);
  },
);

test('an account has its burst exactly, whichever of three processes it comes to', async () => {
  await limit('each:account', { kind: 'transactions', rate_per_second: 0.01, burst: 30 });
  const post = async (url: string) => {
    const body = JSON.stringify(input({ account_id: 'one' }));
    return (await fetch(`${url}/v1/transactions`, { method: 'POST', headers, body })).status;
  };
  const all = urls.flatMap((url) => Array.from({ length: 20 }, () => post(url)));
  const statuses = await Promise.all(all);
  const passed = statuses.filter((status) => status === 201).length;
  expect([passed, statuses.filter((status) => status === 429).length]).toEqual([30, 30]);
});

test.runIf(THOROUGH)('without Redis each process grants its share', async () => {
  // A third of the burst is 2 s of a process' share: a busy machine that stands still for less loses nothing.
  const [RATE, BURST] = [150, 300];
  await limit('client:default', { kind: 'requests', rate_per_second: RATE, burst: BURST });
  const live = () => count(api, 'limit_processes');
  await waitUntil(async () => (await live()) === 3, 5000, 'three processes');
  // Each counts again within two seconds.
  const counted = async () =>
    await count(
      api,
      `limit_processes where seen_at > (select max(set_at) from limits) + interval '1 second'`,
    );
  await waitUntil(async () => (await counted()) === 3, 10_000, 'each process to count');
  const [url = ''] = urls;
  const send = () => fetch(`${url}/v1/reason-codes`, { headers });
  api.redisService.pause();
  try {
    // Until then requests wait for Redis, and the burst is still there.
    const isAway = async () => {
      await send();
      return (await answerOf(await fetch(`${url}/readyz`))).body.breakers.length > 0;
    };
    await waitUntil(isAway, 20_000, 'the breaker of Redis to open');
    const isUsedUp = async () => {
      const statuses = await Promise.all(
        Array.from({ length: 20 }, async () => (await send()).status),
      );
      return statuses.includes(429);
    };
    await waitUntil(isUsedUp, 20_000, 'the burst to be used up');
    const { passed, seconds } = await hammer([url], 4000, '/v1/reason-codes', {});
    expect(passed).toBeGreaterThan(0.85 * (RATE / 3) * seconds.least);
    expect(passed).toBeLessThan(1.1 * (RATE / 3) * seconds.most);
  } finally {
    api.redisService.resume();
  }
});

test('a limited corridor is refused whole, alone or by line; another one is not', async () => {
  await limit('corridor:US-EG', { kind: 'transactions', rate_per_second: 0.01, burst: 3 });
  const inEg = () => input({ corridor: 'US-EG' });
  const inMx = () => input({ corridor: 'US-MX' });
  expect((await postOne(api, inEg())).status).toBe(201);
  const before = await count(api, 'transactions');
  const whole = await postBatch(api, [inEg(), inMx(), inEg(), inEg()]);
  expect([whole.status, whole.body.type]).toEqual([429, 'urn:risk:problem:limited']);
  expect(whole.body.detail).toBe(
    'This request stored nothing: the corridor has no quota: corridor:US-EG may send 0.01 transactions a second, 3 at once.',
  );
  expect(whole.headers.get('ratelimit-policy')).toBe('"transactions of corridor:US-EG";q=3;w=300');
  expect(whole.headers.get('ratelimit')).toMatch(/^"transactions of corridor:US-EG";r=2;t=\d+$/);
  expect(Number(whole.headers.get('retry-after'))).toBeGreaterThan(50);
  expect(await count(api, 'transactions')).toBe(before);
  const batch = { transactions: [inEg(), inMx(), inEg(), inEg()] };
  const lenient = await answerOf(
    await postJson(api, JSON.stringify(batch), '/v1/transactions/batch', {
      Prefer: 'handling=lenient',
    }),
  );
  expect([lenient.status, lenient.body.accepted]).toEqual([200, 3]);
  expect(lenient.body.refused).toEqual([
    {
      index: 3,
      code: 'limited',
      detail: expect.stringContaining('corridor:US-EG may send'),
      retry_after_seconds: expect.any(Number),
    },
  ]);
  expect(lenient.body.results.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2]);
  const lines = await postJson(
    api,
    [inEg(), inMx()].map((one) => JSON.stringify(one)).join('\n'),
    '/v1/transactions/batch',
    { 'Content-Type': 'application/x-ndjson' },
  );
  const answered = (await lines.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answered).toEqual([
    {
      ...{ index: 0, status: 'unavailable', code: 'limited' },
      retry_after_seconds: expect.any(Number),
      errors: [{ pointer: '/corridor', detail: expect.stringContaining('has no quota') }],
    },
    expect.objectContaining({ index: 1, status: 'accepted' }),
    expect.objectContaining({ done: true, accepted: 1, refused: 1 }),
  ]);
  const beyond = await postBatch(api, [inEg(), inEg(), inEg(), inEg()]);
  expect(beyond.body.detail).toContain('4 at once never pass: send them in parts of at most 3');
  expect([beyond.status, beyond.headers.get('retry-after')]).toEqual([429, null]);
  expect((await postBatch(api, [inMx(), inMx()])).status).toBe(200);
});

test('requests of a client are refused with what it needs to know; another client and the way out are not', async () => {
  const key = async (client: string) =>
    (await answerOf(await api.post('/v1/keys', { roles: ['ingest'], client, owner: 'test' }))).body
      .key;
  const [shop, bank] = [await key('shop'), await key('bank')];
  await limit('client:shop', { kind: 'requests', rate_per_second: 0.1, burst: 2 });
  const ask = (as: string) =>
    api.request('/v1/reason-codes', { headers: { Authorization: `Bearer ${as}` } });
  const first = await answerOf(await ask(shop));
  expect(first.headers.get('ratelimit-policy')).toBe('"requests of client:shop";q=2;w=20');
  expect(first.headers.get('ratelimit')).toBe('"requests of client:shop";r=1;t=10');
  await ask(shop);
  const refused = await answerOf(await ask(shop));
  expect([refused.status, refused.body.type]).toEqual([429, 'urn:risk:problem:limited']);
  expect(refused.headers.get('ratelimit')).toBe('"requests of client:shop";r=0;t=10');
  expect(refused.headers.get('retry-after')).toBe('10');
  // Everybody's requests are used up in this process and every other one.
  expect(
    (await fetch(`${urls[1]}/v1/reason-codes`, { headers: { Authorization: `Bearer ${shop}` } }))
      .status,
  ).toBe(429);
  expect((await ask(bank)).headers.get('ratelimit')).toBeNull();
  await limit('client:default', { kind: 'requests', rate_per_second: 0.01, burst: 1 });
  await api.request('/v1/reason-codes');
  expect((await api.request('/v1/reason-codes')).status).toBe(429);
  expect((await api.request('/v1/limits')).status).toBe(200);
  expect((await api.request('/v1/proposals')).status).toBe(200);
  expect((await api.request('/readyz')).headers.get('ratelimit')).toBeNull();
});
