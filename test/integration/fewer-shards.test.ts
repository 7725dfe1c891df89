/**
 * Goal: with fewer shards than before, what waits in the upper ones is scored, counted, and not brought a
 * second time. Method: streams filled as for four shards, and everything after them set to two.
 */
import { expect, test } from 'vitest';
import { bindReconciler } from '../../src/core/repair/reconcile-duty.ts';
import type { EntryPayload } from '../../src/core/stream/entries/entry.ts';
import { packAgain } from '../../src/core/stream/entries/entry.ts';
import { createProducer } from '../../src/core/stream/entries/producer.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { packRetry } from '../../src/core/stream/settle/retries.ts';
import { listStreams, measureStreams } from '../../src/core/stream/status/lag.ts';
import { testConfig } from '../support/config.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

const TRANSACTIONS = 50;

const setTwo = ({ database }: WorkerRig) =>
  database.sql(
    "insert into corridor_settings (corridor, shards, changed_by) values ('US-EG', 2, 'Ann'), ('US-MX', 2, 'Ann')",
  );

/** A transaction waits for its next attempt in the last shard, the others in all four. */
async function fillFourShards(rig: WorkerRig) {
  const { commands: redis, database } = rig;
  const stored = await rig.store(seeds(TRANSACTIONS));
  const payloads = stored.map(
    (transaction): EntryPayload => ({
      transaction,
      attempt: 1,
      origin: 'ingest',
      replyTo: null,
      rowId: null,
    }),
  );
  const producer = createProducer({
    ...{ redis, market: database.market, shardsOf: () => 4, transactionsMax: 1000 },
  });
  await producer.append(payloads.slice(1));
  const streams = [0, 1, 2, 3].map((shard) => streamKeys(database.market, 'US-EG', shard));
  const entries = () => Promise.all(streams.map((stream) => redis.xlen(stream.transactions)));
  expect(Math.min(...(await entries()))).toBeGreaterThan(0);
  const [first] = payloads;
  if (first !== undefined)
    await redis.zadd(streams[3]?.retries ?? '', 1, packRetry(packAgain([first])));
  return entries;
}

test('a worker reads upper shards until they are empty', async () => {
  await using rig = await createWorkerRig();
  const entries = await fillFourShards(rig);
  const list = (corridors: readonly string[]) =>
    listStreams(rig.commands, rig.database.market, () => 2, corridors);
  const measured = await measureStreams(rig.commands, await list(['US-EG', 'US-MX']));
  const waiting = measured.map((one) => one.lag + one.retriesWaiting);
  expect(waiting.reduce((sum, count) => sum + count)).toBe(TRANSACTIONS);
  await setTwo(rig);
  rig.startWorker();
  expect(await rig.settled(TRANSACTIONS)).toMatchObject({ scored: TRANSACTIONS, deadLetters: 0 });
  await waitUntil(async () => Math.max(...(await entries())) === 0, 5000, 'empty streams');
  const left = await list(['US-EG']);
  expect(left.map(({ shard }) => shard)).toEqual([0, 1]);
});

test('a key of an upper shard that is no stream stops nobody', async () => {
  await using rig = await createWorkerRig();
  const { commands: redis, database } = rig;
  await redis.set(streamKeys(database.market, 'US-EG', 3).transactions, 'not a stream');
  await setTwo(rig);
  rig.startWorker();
  await rig.send(seeds(10).map((seed) => ({ ...seed, accountId: 'acc_1' })));
  expect(await rig.settled(10)).toMatchObject({ scored: 10 });
});

test('an upper shard is listed while it holds entries, even if its counts cannot be read', async () => {
  await using rig = await createWorkerRig();
  const { commands: redis, database } = rig;
  const { transactions, counts } = streamKeys(database.market, 'US-EG', 3);
  // An id of 1 makes the entry old at once.
  await redis.xadd(transactions, '1-1', 'v', '1');
  await redis.set(counts, 'not a hash');
  const listed = await listStreams(redis, database.market, () => 2, ['US-EG']);
  expect(listed.map(({ shard }) => shard)).toEqual([0, 1, 3]);
});

test('what waits in an upper shard is not lost', async () => {
  await using rig = await createWorkerRig();
  const entries = await fillFourShards(rig);
  const before = await entries();
  const config = testConfig({ RISK_RECONCILE_AGE_MS: '500' });
  await setTwo(rig);
  const reconciler = bindReconciler(config, rig.pool, rig.commands, () => undefined);
  const { signal } = new AbortController();
  expect(await reconciler.run(signal)).toMatchObject({ isWhole: true, lost: 0, appended: 0 });
  expect(await entries()).toEqual(before);
});
