/**
 * Goal: one person lowers a limit, two raise or remove one, and what is wrong is named. Method: an API process over HTTP, and the
 * command.
 */
import { afterEach, expect, test } from 'vitest';
import type { Kind } from '../../../../src/core/domain/control-kinds.ts';
import { confirm, confirmed } from '../../../support/approvals.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { putControl } from '../../../support/rooms/corridors/requests.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, input, postBatch, postOne, send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi());

afterEach(() => api.testDatabase.sql('delete from controls'));

type Wanted = { readonly kind?: Kind; readonly scope?: string };

/** Sets a limit, or ends it where the body is empty. */
function putLimit(
  as: string,
  body: object,
  { kind = 'limit-transactions', scope = 'client:shop' }: Wanted = {},
) {
  return putControl(api, kind, scope, { in_force: Object.keys(body).length > 0, ...body }, as);
}

test('one person lowers a limit, two raise or remove it, and what is wrong is named', async () => {
  const ann = await insertPersonKey(api.testDatabase, 'Ann', ['operator']);
  const bob = await insertPersonKey(api.testDatabase, 'Bob', ['operator', 'risk_officer']);
  const rate = (rate_per_second: number, burst = 200) => ({ rate_per_second, burst });
  expect((await putLimit(ann, rate(100))).body.control.set_by).toBe('Ann');
  expect((await putLimit(ann, rate(50))).body.control.value).toEqual(rate(50));
  const raised = (await putLimit(ann, rate(80))).body;
  expect(raised).toMatchObject({
    control: { value: rate(50) },
    approval: { state: 'waiting', subject: 'limit-transactions:client:shop', detail: rate(80) },
  });
  const another = await putLimit(bob, rate(90));
  expect([another.status, another.body.detail]).toEqual([
    409,
    `The approval ${raised.approval.approval_id} by Ann waits for control limit-transactions:client:shop: confirm or withdraw it first.`,
  ]);
  // An older decision does not raise the limit that another person lowers meanwhile.
  await putLimit(bob, rate(40));
  const late = await confirm(api, bob, raised.approval.approval_id);
  expect([late.status, late.body.detail]).toEqual([
    409,
    expect.stringContaining('has changed since'),
  ]);
  await send(api, 'POST', `/v1/approvals/${raised.approval.approval_id}/withdraw`, undefined, ann);
  await confirmed(api, bob, (await putLimit(ann, rate(90))).body.approval);
  const now = (await answerOf(await api.request('/v1/controls?kind=limit-transactions'))).body;
  expect(now.items).toMatchObject([{ value: rate(90), set_by: 'Bob' }]);
  expect(await confirmed(api, bob, (await putLimit(ann, {})).body.approval)).toEqual({
    control: null,
  });
  const { items } = (await answerOf(await api.request('/v1/audit?limit=6'))).body;
  expect(items.map((one: { action: string }) => one.action)).toEqual([
    ...['approval.confirm', 'control.end', 'approval.propose'],
    ...['approval.confirm', 'control.set', 'approval.propose'],
  ]);
  const wrong = await putLimit(ann, rate(100, 5));
  expect([wrong.status, wrong.body.errors[0]]).toEqual([
    422,
    { pointer: '/burst', detail: 'must be at least 10, a tenth of a second of the rate, not 5' },
  ]);
  expect((await putLimit(ann, { burst: 5 })).body.errors[0].pointer).toBe('/rate_per_second');
  const misspelled = await putLimit(ann, rate(1), { scope: 'corridor:US-EF' });
  expect(misspelled.body.detail).toContain('corridor:US-EG is one');
  const inference = rate(200, 400);
  const unfit = await putLimit(ann, inference, { kind: 'limit-inference' });
  expect([unfit.status, unfit.body.detail]).toEqual([
    404,
    "No scope of limit-inference is called 'client:shop': allowed is market, corridor:NAME of GET /v1/corridors.",
  ]);
  const each = { kind: 'limit-inference', scope: 'each:account' } as const;
  expect((await putLimit(ann, inference, each)).status).toBe(404);
  const market = { kind: 'limit-inference', scope: 'market' } as const;
  expect((await putLimit(ann, inference, market)).body.control.value).toEqual(inference);
  expect((await putLimit(ann, rate(200, 800), market)).body).toMatchObject({
    control: { value: inference },
    approval: { detail: rate(200, 800) },
  });
  // API processes do not count what workers do.
  expect((await api.request('/v1/reason-codes')).headers.get('ratelimit')).toBeNull();
});

test('a throttle is set beside the lasting limit, ends by itself, and one person makes it only stricter', async () => {
  const ann = await insertPersonKey(api.testDatabase, 'Ann', ['operator']);
  const bob = await insertPersonKey(api.testDatabase, 'Bob', ['operator', 'risk_officer']);
  const corridor = { scope: 'corridor:US-EG' };
  const throttle = { kind: 'throttle', ...corridor } as const;
  const endsIn = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const rate = (rate_per_second: number) => ({ rate_per_second, burst: 20 });
  const until = (ends_at: string, rate_per_second: number) => ({
    ...rate(rate_per_second),
    ends_at,
  });
  const later = endsIn(2);
  expect((await putLimit(ann, rate(100), corridor)).body.control.ends_at).toBeNull();
  expect((await putLimit(ann, until(later, 20), throttle)).body.control).toMatchObject({
    ...{ value: rate(20), ends_at: later },
  });
  const detailOf = async (body: object) => {
    const { status, body: problem } = await putLimit(ann, body, throttle);
    return [status, problem.errors?.[0] ?? problem.detail];
  };
  const stricter = `throttle:corridor:US-EG is at burst 20, rate_per_second 20 until ${later}, and a change only makes it stricter or longer: end it first.`;
  const opening = new RegExp(`${stricter}$`, 'i');
  for (const weaker of [
    until(later, 21),
    until(endsIn(1), 20),
    { ...until(later, 20), burst: 21 },
  ]) {
    expect(await detailOf(weaker)).toEqual([409, expect.stringMatching(opening)]);
  }
  const [longer, lower] = [endsIn(3), until(endsIn(3), 10)];
  const lasting = await putLimit(bob, until(longer, 20), throttle);
  expect(lasting.body.control.ends_at).toBe(longer);
  expect((await putLimit(bob, lower, throttle)).body.control).toMatchObject({
    ...{ value: rate(10), ends_at: lower.ends_at },
  });
  await confirmed(api, bob, (await putLimit(ann, {}, throttle)).body.approval);
  await putLimit(ann, lower, throttle);
  const listed = await api.risk('controls', 'list');
  expect(listed.stdout).toMatch(new RegExp(`^throttle +corridor:US-EG .* ${lower.ends_at} `, 'm'));
  // A limit that is over may be set anew, weaker too.
  await api.testDatabase.sql(
    `update controls set ends_at = clock_timestamp() where ends_at is not null`,
  );
  expect((await answerOf(await api.request('/v1/controls'))).body.items).toEqual([
    expect.objectContaining({ ...corridor, value: rate(100), ends_at: null }),
  ]);
  const anew = until(endsIn(1), 50);
  expect((await putLimit(ann, anew, throttle)).body.control.value).toEqual(rate(50));
});

test('a limit that two people raise is waited for at most as long as its new burst takes, also after a removal', async () => {
  const ann = await insertPersonKey(api.testDatabase, 'Ann', ['operator']);
  const bob = await insertPersonKey(api.testDatabase, 'Bob', ['risk_officer']);
  const SLOW = { rate_per_second: 0.1, burst: 1000 };
  const FAST = { rate_per_second: 1000, burst: 1000 };
  for (const scope of ['client:default', 'each:account']) {
    const put = async (body: object) => {
      const before = api.log().split('"msg":"controls"').length;
      const { approval } = (await putLimit(ann, body, { scope })).body;
      if (approval !== null) await confirmed(api, bob, approval);
      const isRead = async () => api.log().split('"msg":"controls"').length > before;
      return await waitUntil(isRead, 5000, 'the limits to be read');
    };
    const account_id = `account of ${scope}`;
    for (const change of [[FAST], [{}, FAST]]) {
      await api.testDatabase.sql('delete from controls');
      await api.redis.flushall();
      await put(SLOW);
      const all = Array.from({ length: 1000 }, () => input({ account_id }));
      expect((await postBatch(api, all)).status).toBe(200);
      expect((await postOne(api, input({ account_id }))).status).toBe(429);
      for (const body of change) await put(body);
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
