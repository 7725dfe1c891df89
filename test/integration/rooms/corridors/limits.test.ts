/**
 * Goal: a limit refuses in every API process what is over it, with what a client needs to know; other scopes notice nothing. Method:
 * two API processes on one pair of stores.
 */
import { expect, test } from 'vitest';
import type { Kind } from '../../../../src/core/domain/control-kinds.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { spawnRisk } from '../../../support/risk.ts';
import { limitScope } from '../../../support/rooms/corridors/requests.ts';
import { spawnRunningApi } from '../../../support/running-api.ts';
import { answerOf, count, input, postBatch, postJson, postOne } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(spawnRunningApi());
const other = await openForFile(
  spawnRisk(['api'], {
    DATABASE_URL: api.testDatabase.url,
    REDIS_URL: api.redisService.url,
    PORT: '0',
    LOG_LEVEL: 'info',
  }),
);
const [, otherUrl = ''] = await other.waitFor(/"url":"(http:[^"]+)"/, 30_000);

/** Sets a limit that both processes have read afterwards. */
async function limit(kind: Kind, scope: string, rate: object): Promise<void> {
  const times = () =>
    [api.log(), other.stderr()].map((log) => log.split('"msg":"controls"').length);
  const before = times();
  await limitScope(api, kind, scope, rate);
  const isRead = async () => times().every((now, at) => now > (before[at] ?? 0));
  await waitUntil(isRead, 5000, 'both processes to read the limits');
}

test('a limited corridor is refused whole, alone or by line; another one is not', async () => {
  await limit('limit-transactions', 'corridor:US-EG', { rate_per_second: 0.01, burst: 3 });
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

test('each account, device and address has a limit by itself, which costs others nothing', async () => {
  await limit('limit-transactions', 'each:account', { rate_per_second: 0.01, burst: 2 });
  await limit('limit-transactions', 'each:address', { rate_per_second: 0.01, burst: 3 });
  await limit('limit-transactions', 'each:device', { rate_per_second: 0.01, burst: 1 });
  await limit('limit-transactions', 'client:default', { rate_per_second: 0.01, burst: 20 });
  const of = (account: string, ip?: string) =>
    input({ account_id: account, corridor: 'US-MX', ...(ip && { ip }) });
  const whole = await postBatch(api, [of('a'), of('b'), of('a'), of('a')]);
  expect([whole.status, whole.body.type]).toEqual([429, 'urn:risk:problem:limited']);
  expect(whole.body.detail).toBe(
    'This request stored nothing: the account has no quota: each:account may send 0.01 transactions a second, 2 at once; 3 at once never pass: send them in parts of at most 2.',
  );
  expect(whole.body.errors).toEqual([
    { pointer: '/transactions/3/account_id', detail: expect.stringContaining('has no quota') },
  ]);
  expect(whole.headers.get('ratelimit-policy')).toBe('"transactions of each:account";q=2;w=200');
  expect(whole.headers.get('retry-after')).toBeNull();
  const left = /client:default";r=(\d+)/;
  // Nothing was taken, of the accounts or of the client.
  const two = await postBatch(api, [of('a'), of('a'), of('b')]);
  expect([two.status, left.exec(two.headers.get('ratelimit') ?? '')?.[1]]).toEqual([200, '17']);
  const batch = {
    transactions: [
      of('a'),
      of('b'),
      of('b'),
      ...Array(4)
        .fill(0)
        .map((_, n) => of(`c${n}`, '192.0.2.7')),
    ],
  };
  const lenient = await answerOf(
    await postJson(api, JSON.stringify(batch), '/v1/transactions/batch', {
      Prefer: 'handling=lenient',
    }),
  );
  expect([lenient.status, lenient.body.accepted]).toEqual([200, 4]);
  expect(lenient.body.refused.map(({ index }: { index: number }) => index)).toEqual([0, 2, 6]);
  expect(left.exec(lenient.headers.get('ratelimit') ?? '')?.[1]).toBe('13');
  // The lenient batch took what passed from the account and from the address, and from no other party.
  expect((await postOne(api, of('b'))).status).toBe(429);
  expect((await postOne(api, of('d', '192.0.2.7'))).status).toBe(429);
  expect((await postOne(api, of('d', '192.0.2.8'))).status).toBe(201);
  const from = (device_id: string) => postOne(api, { ...of(`of ${device_id}`), device_id });
  expect([await from('x'), await from('x'), await from('y')].map(({ status }) => status)).toEqual([
    201, 429, 201,
  ]);
  const requests = { in_force: true, rate_per_second: 1, burst: 1, reason: 'a test' };
  const refused = await api.request('/v1/controls/limit-requests/each:device', {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(requests),
  });
  expect([refused.status, (await answerOf(refused)).body.detail]).toEqual([
    404,
    expect.stringMatching(
      /^No scope of limit-requests is called 'each:device': allowed is market, /,
    ),
  ]);
});

test('requests of a client are refused with what it needs to know; another client and the way out are not', async () => {
  const key = async (client: string) =>
    (await answerOf(await api.post('/v1/keys', { roles: ['ingest'], client, owner: 'test' }))).body
      .key;
  const [shop, bank] = [await key('shop'), await key('bank')];
  await limit('limit-requests', 'client:shop', { rate_per_second: 0.1, burst: 2 });
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
  const headers = { Authorization: `Bearer ${shop}` };
  expect((await fetch(`${otherUrl}/v1/reason-codes`, { headers })).status).toBe(429);
  expect((await ask(bank)).headers.get('ratelimit')).toBeNull();
  await limit('limit-requests', 'client:default', { rate_per_second: 0.01, burst: 1 });
  await api.request('/v1/reason-codes');
  expect((await api.request('/v1/reason-codes')).status).toBe(429);
  expect((await api.request('/v1/controls')).status).toBe(200);
  expect((await api.request('/v1/suggestions')).status).toBe(200);
  expect((await api.request('/readyz')).headers.get('ratelimit')).toBeNull();
});
