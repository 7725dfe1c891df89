/**
 * Goal: a payment becomes a signed event. Method: an API and two workers, a Redis that loses everything, a receiver, and an
 * admin who works by HTTP and by command.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EVENT_TYPES } from '../../../../src/core/events.ts';
import { type Receiver, startReceiver, status } from '../../../support/rooms/webhooks/receiver.ts';
import { type RunningApi, startRunningApi } from '../../../support/running-api.ts';
import { answerOf } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import type { RunningWorker } from '../../../support/worker-rig.ts';

const SETTINGS = {
  RISK_WEBHOOK_LOOPBACK: 'allow',
  RISK_WEBHOOK_KEYS: Buffer.alloc(32, 9).toString('base64'),
};
const WAIT_MS = 15_000;

let api: RunningApi;
let receiver: Receiver;
let workers: RunningWorker[];
beforeAll(async () => {
  [api, receiver] = await Promise.all([startRunningApi(SETTINGS), startReceiver()]);
  workers = [1, 2].map(() => api.startWorker(SETTINGS));
});
afterAll(async () => {
  const ends = await Promise.all(workers.map((worker) => worker.stop()));
  await receiver[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  expect(ends).toEqual([0, 0]);
});

type Listed = { readonly event_id: string; readonly decisions: number };
type Made = { readonly webhook_id: string; readonly secret: string };
const make = async (more: object = {}): Promise<Made> => {
  const wanted = { url: receiver.url, event_types: ['transaction.decided'], ...more };
  const { status: code, body } = await answerOf(await api.post('/v1/webhooks', wanted));
  expect(code, JSON.stringify(body)).toBe(201);
  return body;
};
const remove = async ({ webhook_id }: Made) => {
  const { status: code } = await api.request(`/v1/webhooks/${webhook_id}`, { method: 'DELETE' });
  expect(code).toBe(204);
  receiver.received.splice(0);
};
const got = async (count: number) =>
  await waitUntil(() => receiver.received.length >= count, WAIT_MS, `${count} events`);
/** Transactions in the lists that the receiver got, sorted. */
const decided = () =>
  receiver.received
    .flatMap(({ body }): { transaction_id: string }[] => JSON.parse(body).data.decisions)
    .map(({ transaction_id }) => transaction_id)
    .sort();

/** Payments that rules decline: one account pays many merchants within a minute. */
async function pay(count: number, account: string) {
  const startMs = Date.now() - 60_000;
  const transactions = Array.from({ length: count }, (_, index) => ({
    ...{ idempotency_key: `${account}-${index}`, account_id: account, merchant_id: `m_${index}` },
    ...{ amount: '4900.00', currency: 'USD', corridor: 'US-EG', country: index % 2 ? 'US' : 'NG' },
    created_at: new Date(startMs + index * 100).toISOString(),
  }));
  const { status: code, body } = await answerOf(
    await api.post('/v1/transactions/batch', { transactions }),
  );
  expect(code, JSON.stringify(body)).toBe(200);
}

const reviewed = async () => {
  const rows = await api.testDatabase.sql<{ id: string }>(
    `select transaction_id as id from scores where verdict <> 'approve' order by 1`,
  );
  return rows.map(({ id }) => id);
};

test('a webhook may take every type of event', async () => {
  await remove(await make({ event_types: EVENT_TYPES }));
});

test('each decision that the webhook takes is in one event, although Redis loses everything', async () => {
  const made = await make();
  await pay(40, 'acc_first');
  await waitUntil(async () => (await reviewed()).length > 0, WAIT_MS, 'scores');
  await api.redis.flushall();
  await pay(40, 'acc_second');
  await waitUntil(
    async () => {
      const [row] = await api.testDatabase.sql<{ rows: number }>(
        'select count(*)::int4 as rows from scores',
      );
      return row?.rows === 80;
    },
    4 * WAIT_MS,
    'all scores',
  );
  const ids = await reviewed();
  await waitUntil(() => decided().length >= ids.length, WAIT_MS, 'all decisions');
  expect(decided()).toEqual(ids);
  const events = receiver.verified(made.secret);
  expect(new Set(events).size).toBe(events.length);
  const log = (await api.riskJson('webhooks', 'deliveries', made.webhook_id)) as Listed[];
  expect(log.map(({ event_id }) => event_id).sort()).toEqual(events);
  expect(log.reduce((sum, { decisions }) => sum + decisions, 0)).toBe(ids.length);
  await remove(made);
});

test('an admin makes, tests, watches, sends again, rotates and deletes by command', async () => {
  const json = (...args: string[]) => api.riskJson('webhooks', ...args);
  const made = (await json('create', receiver.url, '--type', 'review.deadline_near')) as Made;
  expect(made).toMatchObject({ state: 'active', secret: expect.stringMatching(/^whsec_/) });
  const id = made.webhook_id;
  receiver.answer(status(500));
  expect(await json('test', id)).toMatchObject({
    event_id: expect.stringMatching(/^test_[0-9a-f-]{36}$/),
    event_type: 'webhook.test',
    state: 'waiting',
  });
  await got(1);
  receiver.answer(status(200));
  const failed = await waitUntil(async () => {
    type Rows = readonly { readonly attempts: number; readonly delivery_id: string }[];
    const rows = (await json('deliveries', id, '--state', 'waiting')) as Rows;
    return rows.find(({ attempts }) => attempts === 1)?.delivery_id;
  }, WAIT_MS);
  await json('redeliver', id, failed);
  await got(2);
  expect(new Set(receiver.verified(made.secret)).size).toBe(1);
  const rotated = (await json('rotate', id)) as Made;
  expect(rotated.secret).not.toBe(made.secret);
  expect(await json('pause', id)).toMatchObject({ state: 'paused' });
  expect(await json('resume', id)).toMatchObject({ state: 'active' });
  expect(await json('list')).toMatchObject([{ webhook_id: id, url: receiver.url }]);
  expect(await json('delete', id)).toEqual({ id });
  const unknown = await api.risk('webhooks', 'test', id);
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    expect.stringContaining('No webhook has the id'),
  ]);
  for (const [words, wrong] of [
    [['list', 'extra'], "unexpected argument 'extra'"],
    [['redeliver', id], 'DELIVERY is missing'],
  ] as const) {
    const { code, stderr } = await api.risk('webhooks', ...words);
    expect([code, stderr]).toEqual([2, expect.stringContaining(wrong)]);
  }
  const { items } = (await answerOf(await api.request('/v1/audit'))).body;
  const actions = items.map(({ action, subject }: Record<string, string>) => [action, subject]);
  expect(actions.slice(0, 7)).toEqual(
    ['delete', 'change', 'change', 'rotate', 'redeliver', 'test', 'create'].map((action) => [
      `webhook.${action}`,
      id,
    ]),
  );
  const stored =
    JSON.stringify(await api.testDatabase.sql('select * from audit_log')) +
    JSON.stringify(await api.testDatabase.sql('select * from webhook_endpoints'));
  for (const { secret } of [made, rotated]) expect(stored).not.toContain(secret.slice(6));
  receiver.received.splice(0);
});

test('there is a bound on webhooks', async () => {
  await api.testDatabase.sql(
    `insert into webhook_endpoints (endpoint_id, url, event_types, verdicts, secret, created_by)
     select gen_random_uuid(), 'https://a.example/', '{alert.raised}', '{review}', 'x', 'test'
       from generate_series(1, 100)`,
  );
  const wanted = { url: receiver.url, event_types: ['transaction.decided'] };
  const { status: code, body } = await answerOf(await api.post('/v1/webhooks', wanted));
  expect([code, body.detail]).toEqual([409, 'There are 100 webhooks, the most that are allowed.']);
  await api.testDatabase.sql('truncate webhook_endpoints');
});
