/** Goal: items of a corridor's checklist that depend on Redis, workers and other markets fail where those are at fault. */
import { expect, test } from 'vitest';
import { streamKeys } from '../../../../src/core/stream/keys.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { input, postOne, send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi());
async function item(name: string): Promise<{ passed: boolean; found: string }> {
  const { status, body } = await send(api, 'GET', '/v1/corridors/US-EG/checklist');
  expect(status, JSON.stringify(body) + api.log().slice(-800)).toBe(200);
  return body.items.find((one: { name: string }) => one.name === name);
}

test('workers: none reads the streams', async () => {
  expect(await item('workers')).toMatchObject({
    ...{ passed: false, found: 'workers that read its streams: 0' },
  });
  expect((await postOne(api, input())).status).toBe(201);
  await using _ = api.startWorker();
  const isRead = async () => (await item('workers')).passed;
  await waitUntil(isRead, 15_000, 'a worker that reads');
});

test('cache: Redis answers reads and refuses writes', async () => {
  expect(await item('cache')).toMatchObject({ passed: true });
  await api.redis.config('SET', 'min-replicas-to-write', '1');
  expect(await item('cache')).toMatchObject({ passed: false });
  await api.redis.config('SET', 'min-replicas-to-write', '0');
  await waitUntil(async () => (await item('cache')).passed, 15_000, 'the cache');
});

test('stream: its key has another type', async () => {
  const { transactions } = streamKeys('market_0', 'US-EG', 0);
  await api.redis.set(`${transactions}`, 'no stream');
  expect(await item('stream')).toMatchObject({ passed: false });
  await api.redis.del(transactions);
  await waitUntil(async () => (await item('stream')).passed, 15_000, 'the stream');
});

test('market: the role of the API reaches another one', async () => {
  expect(await item('market')).toMatchObject({ passed: true });
  const args = ['markets', 'create', 'market_1', '--corridors', 'JP-KR', '--json'];
  expect((await runRisk(args, { DATABASE_URL: api.testDatabase.url })).code).toBe(0);
  expect(await item('market')).toMatchObject({
    ...{ passed: false, found: 'not separated: the role of market_0 also reads market_1' },
  });
});
