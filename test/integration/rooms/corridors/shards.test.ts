/**
 * Goal: the streams of a corridor change while it is frozen and empty, are refused otherwise with what waits, and lose nothing.
 * Method: transactions wait in a stream, then in a retry; the corridor is divided, joined, and divided under a process that knows of nothing.
 */
import { expect, test } from 'vitest';
import { streamKeys } from '../../../../src/core/stream/keys.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { count, input, postBatch, send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const CORRIDOR = 'US-EG';
const PATH = `/v1/corridors/${CORRIDOR}`;
const ACCOUNTS = Array.from({ length: 24 }, (_, n) => `acc_${n}`);
const POISONED = 'poisoned';

const api = await openForFile(startRunningApi());
const ann = await insertPersonKey(api.testDatabase, 'Ann', ['admin']);
const bob = await insertPersonKey(api.testDatabase, 'Bob', ['admin']);

const as = (key: string, method: string, path: string, body: object) =>
  send(api, method, path, { ...body, reason: 'a test' }, key);
const divide = (shards: number) => as(ann, 'PUT', PATH, { shards });
const divided = (shards: number) =>
  waitUntil(async () => (await divide(shards)).body.shards === shards, 5000, `${shards} streams`);
const post = async (accounts: readonly string[]) => {
  const all = accounts.map((account_id) => input({ account_id, corridor: CORRIDOR }));
  const sent = await postBatch(api, all);
  expect(sent.body).toMatchObject({ accepted: accounts.length });
};
const putFreeze = (key: string, in_force: boolean) =>
  as(key, 'PUT', `/v1/controls/freeze/corridor:${CORRIDOR}`, { in_force });
const freeze = () => putFreeze(ann, true);
async function resume(): Promise<void> {
  expect((await putFreeze(bob, false)).body.control).toBeNull();
  const open = async () => (await postBatch(api, [input({ corridor: CORRIDOR })])).status === 200;
  await waitUntil(open, 5000, 'an open corridor');
}
const settled = () =>
  waitUntil(
    async () =>
      (await count(api, 'open_rows')) === 0 && (await waiting()).every((one) => one === 0),
    20_000,
    'nothing to wait',
  );
const streams = () =>
  Array.from({ length: 4 }, (_, shard) => streamKeys(api.testDatabase.market, CORRIDOR, shard));
const waiting = () =>
  Promise.all(streams().map(({ transactions }) => api.redis.xlen(transactions)));

test('a corridor with something waiting is not divided, and the refusal counts it', async () => {
  const [{ retries } = { retries: '' }] = streams();
  await post([...ACCOUNTS.slice(0, 2), POISONED]);
  const open = await divide(4);
  expect([open.status, open.body.detail]).toEqual([
    409,
    expect.stringContaining(
      'US-EG is open and has pending transactions: 3, in streams: 3, in retries: 0',
    ),
  ]);
  const poison = { RISK_TEST_POISON: `throw:${POISONED}`, RISK_RETRY_BASE_MS: '60000' };
  const poisoned = api.startWorker(poison);
  await waitUntil(async () => (await api.redis.zcard(retries)) === 1, 10_000, 'a retry');
  await waitUntil(async () => (await waiting()).every((one) => one === 0), 5000, 'empty streams');
  await poisoned.stop();
  expect((await freeze()).status).toBe(200);
  const frozen = await divide(4);
  expect([frozen.status, frozen.body.detail]).toEqual([
    409,
    expect.stringMatching(
      /US-EG is frozen since \S+ and has pending transactions: 1, in streams: 0, in retries: 1/,
    ),
  ]);
  const [retry = ''] = await api.redis.zrangeBuffer(retries, '0', '0');
  await api.redis.zadd(retries, 1, retry);
  await using _worker = api.startWorker();
  await settled();
  await divided(4);
  await resume();
  expect((await divide(1)).body.detail).toContain('US-EG is open');
});

test.each([3, 2, 4])(
  'a frozen corridor that is empty gets %i streams and goes on scoring',
  async (shards) => {
    await freeze();
    await using worker = api.startWorker();
    await settled();
    expect((await divide(shards)).status).toBe(409);
    await divided(shards);
    await resume();
    await worker.stop();
    await post(ACCOUNTS);
    const filled = (await waiting()).filter((one) => one > 0).length;
    expect(filled).toBe(shards);
    await using _other = api.startWorker();
    await settled();
    expect(await count(api, 'scores')).toBe(await count(api, 'transactions'));
  },
);

test('what a process has put into a stream that the corridor lost is appended again', async () => {
  await post(ACCOUNTS);
  expect((await waiting()).every((one) => one > 0)).toBe(true);
  await api.testDatabase.sql('update corridor_settings set shards = 1');
  await using _worker = api.startWorker({ RISK_RECONCILE_AGE_MS: '500' });
  await waitUntil(async () => (await count(api, 'open_rows')) === 0, 20_000, 'all scores');
  expect(await count(api, 'scores')).toBe(await count(api, 'transactions'));
});
