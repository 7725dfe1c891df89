/** Goal: the limit of each party refuses what is over it, and takes nothing from others. Method: an API with a Redis of its own. */
import { expect, test } from 'vitest';
import { limitScope } from '../../../support/rooms/corridors/requests.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, input, postBatch, postJson } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

test('each account, device and address has a limit by itself, which costs others nothing', async () => {
  await using api = await startRunningApi();
  const limit = (scope: string, command: object) => limitScope(api, scope, command);
  await limit('each:account', { kind: 'transactions', rate_per_second: 0.01, burst: 2 });
  await limit('each:address', { kind: 'transactions', rate_per_second: 0.01, burst: 3 });
  await limit('client:default', { kind: 'transactions', rate_per_second: 0.01, burst: 20 });
  await waitUntil(() => api.log().includes('"limits":3'), 5000, 'the limits to be read');
  const of = (account: string, ip?: string) => input({ account_id: account, ...(ip && { ip }) });
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
  const requests = { kind: 'requests', rate_per_second: 1, burst: 1, reason: 'a test' };
  const refused = await api.request('/v1/limits/each:device', {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(requests),
  });
  expect([refused.status, (await answerOf(refused)).body.errors?.[0]?.pointer]).toEqual([
    422,
    '/kind',
  ]);
});
