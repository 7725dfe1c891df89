/**
 * Goal: one person lowers a limit, two raise or remove one, and what is wrong is named. Method: an API process over HTTP, and the
 * command.
 */
import { afterEach, expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, input, postBatch, postOne, send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi());

afterEach(() => api.testDatabase.sql('truncate limits'));

function putLimit(as: string, scope: string, body: object) {
  const limit = { kind: 'transactions', reason: 'a test', ...body };
  return send(api, 'PUT', `/v1/limits/${scope}`, limit, as);
}

test('one person lowers a limit, two raise or remove it, and what is wrong is named', async () => {
  const ann = await insertPersonKey(api.testDatabase, 'Ann', ['operator']);
  const bob = await insertPersonKey(api.testDatabase, 'Bob', ['operator']);
  const put = (as: string, body: object, scope = 'client:shop') => putLimit(as, scope, body);
  const rate = (rate_per_second: number, burst = 200) => ({ rate_per_second, burst });
  expect((await put(ann, rate(100))).body.limits[0]).toMatchObject({
    set_by: 'Ann',
    proposal: null,
  });
  expect((await put(ann, rate(50))).body.limits[0]).toMatchObject(rate(50));
  const raised = await put(ann, rate(80));
  expect(raised.body.limits[0]).toMatchObject({
    ...rate(50),
    proposal: { ...rate(80), proposed_by: 'Ann' },
  });
  const alone = await put(ann, rate(80));
  expect([alone.status, alone.body.detail]).toEqual([
    409,
    'The change of client:shop was proposed by Ann: another person sends it again.',
  ]);
  // Another raise is another proposal.
  expect((await put(bob, rate(90))).body.limits[0]).toMatchObject(rate(50));
  expect((await put(ann, rate(90))).body.limits[0]).toMatchObject({ ...rate(90), set_by: 'Ann' });
  expect((await put(ann, {})).body.limits[0].proposal).toMatchObject({ rate_per_second: null });
  expect((await put(bob, {})).body.limits).toEqual([]);
  const { items } = (await answerOf(await api.request('/v1/audit?limit=6'))).body;
  expect(items.map((one: { action: string }) => one.action)).toEqual([
    'limit.approve',
    'limit.propose',
    'limit.approve',
    'limit.propose',
    'limit.propose',
    'limit.set',
  ]);
  const wrong = await put(ann, rate(100, 5));
  expect([wrong.status, wrong.body.errors[0]]).toEqual([
    422,
    { pointer: '/burst', detail: 'must be at least 10, a tenth of a second of the rate, not 5' },
  ]);
  expect((await put(ann, { burst: 5 })).body.errors[0].pointer).toBe('/rate_per_second');
  expect((await put(ann, rate(1), 'corridor:US-EF')).body.detail).toContain(
    'corridor:US-EG is one',
  );
  const inference = { ...rate(200, 400), kind: 'inference' };
  expect((await put(ann, inference)).body.errors[0]).toEqual({
    pointer: '/kind',
    detail: "must be 'requests' or 'transactions', as only market and corridors count inference",
  });
  expect((await put(ann, inference, 'each:account')).status).toBe(422);
  expect((await put(ann, inference, 'market')).body.limits[0]).toMatchObject(inference);
  expect((await put(ann, { ...inference, burst: 800 }, 'market')).body.limits[0]).toMatchObject({
    ...inference,
    proposal: { rate_per_second: 200, burst: 800 },
  });
  // API processes do not count what workers do.
  expect((await api.request('/v1/reason-codes')).headers.get('ratelimit')).toBeNull();
});

test('a throttle is set beside the lasting limit, ends by itself, and one person makes it only stricter', async () => {
  const ann = await insertPersonKey(api.testDatabase, 'Ann', ['operator']);
  const bob = await insertPersonKey(api.testDatabase, 'Bob', ['operator']);
  const [corridor, throttle] = ['corridor:US-EG', 'throttle:corridor:US-EG'];
  const endsIn = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const until = (ends_at: string | undefined, rate_per_second: number) => ({
    ...{ rate_per_second, burst: 20, ends_at },
  });
  const later = endsIn(2);
  expect((await putLimit(ann, corridor, until(undefined, 100))).body.limits[0].ends_at).toBeNull();
  expect((await putLimit(ann, throttle, until(later, 20))).body.limits[0]).toMatchObject({
    ...{ rate_per_second: 20, ends_at: later, proposal: null },
  });
  const detailOf = async (scope: string, body: object) => {
    const { status, body: problem } = await putLimit(ann, scope, body);
    return [status, problem.errors?.[0] ?? problem.detail];
  };
  const stricter = `${throttle} is at 20 a second, 20 at once, until ${later}, which is stricter: remove it first.`;
  const opening = new RegExp(`${stricter}$`, 'i');
  for (const weaker of [
    until(later, 21),
    until(endsIn(1), 20),
    { ...until(later, 20), burst: 21 },
  ]) {
    expect(await detailOf(throttle, weaker)).toEqual([409, expect.stringMatching(opening)]);
  }
  const [longer, lower] = [endsIn(3), until(endsIn(3), 10)];
  expect((await putLimit(bob, throttle, until(longer, 20))).body.limits[0].ends_at).toBe(longer);
  expect((await putLimit(bob, throttle, lower)).body.limits[0]).toMatchObject(lower);
  expect((await putLimit(ann, throttle, {})).body.limits[0].proposal.rate_per_second).toBeNull();
  expect((await putLimit(bob, throttle, {})).body.limits).toEqual([]);
  await putLimit(ann, throttle, lower);
  const listed = await api.risk('limits', 'list');
  expect(listed.stdout).toMatch(new RegExp(`^${throttle} .* ${lower.ends_at} `, 'm'));
  // A limit that is over may be set anew, weaker too.
  await api.testDatabase.sql(
    `update limits set ends_at = clock_timestamp() where ends_at is not null`,
  );
  expect((await answerOf(await api.request('/v1/limits'))).body.items).toEqual([
    expect.objectContaining({ scope: corridor, rate_per_second: 100, ends_at: null }),
  ]);
  const anew = until(endsIn(1), 50);
  expect((await putLimit(ann, throttle, anew)).body.limits[0]).toMatchObject(anew);
});

test('a limit that two people raise is waited for at most as long as its new burst takes, also after a removal', async () => {
  const [ann, bob] = await Promise.all(
    ['Ann', 'Bob'].map((name) => insertPersonKey(api.testDatabase, name, ['operator'])),
  );
  const SLOW = { rate_per_second: 0.1, burst: 1000 };
  const FAST = { rate_per_second: 1000, burst: 1000 };
  for (const scope of ['client:default', 'each:account']) {
    const put = async (as: string | undefined, body: object) => {
      const before = api.log().split('"msg":"limits"').length;
      expect((await putLimit(as ?? '', scope, body)).status).toBe(200);
      const isRead = async () => api.log().split('"msg":"limits"').length > before;
      return await waitUntil(isRead, 5000, 'the limits to be read');
    };
    const account_id = `account of ${scope}`;
    const changes: readonly (readonly (readonly [string | undefined, object])[])[] = [
      [
        [ann, FAST],
        [bob, FAST],
      ],
      [
        [ann, {}],
        [bob, {}],
        [ann, FAST],
      ],
    ];
    for (const change of changes) {
      await api.testDatabase.sql('truncate limits');
      await api.redis.flushall();
      await put(ann, SLOW);
      const all = Array.from({ length: 1000 }, () => input({ account_id }));
      expect((await postBatch(api, all)).status).toBe(200);
      expect((await postOne(api, input({ account_id }))).status).toBe(429);
      for (const [as, body] of change) await put(as, body);
      const half = Array.from({ length: 500 }, () => input({ account_id }));
      await waitUntil(
        async () => {
          const { status, headers } = await postBatch(api, half);
          expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(1);
          return status === 200;
        },
        5000,
        'five hundred units',
      );
    }
  }
});
