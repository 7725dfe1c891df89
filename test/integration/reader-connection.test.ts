/**
 * Goal: a reader reads what is there, and not more often than it must. Method: real Redis, alone and as a
 * cluster.
 */
import { expect, inject, test } from 'vitest';
import { createProducer } from '../../src/core/stream/entries/producer.ts';
import { ensureGroups } from '../../src/core/stream/group/consumer-group.ts';
import { openReaderConnection } from '../../src/core/stream/group/reader-connection.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { openCommands, untilReady } from '../../src/kit/redis/connection.ts';
import { startOneNodeCluster } from '../support/one-node-cluster.ts';
import { startTestRedis } from '../support/services.ts';
import { payload, payloads, stream } from '../support/stream-rig.ts';
import { waitUntil } from '../support/wait-until.ts';

test('what is there is read without waiting, a share of each stream', async () => {
  await using service = await startTestRedis();
  const redis = openCommands(service.url, 2000);
  await untilReady(redis, 5000);
  {
    await using reader = openReaderConnection(service.url, 50, redis);
    const streams = [stream, streamKeys('m', 'DE-TR', 0)];
    await ensureGroups(
      redis,
      streams.map(({ transactions }) => transactions),
    );
    const producer = createProducer({
      redis,
      market: 'm',
      shardsOf: () => 1,
      transactionsMax: 1000,
    });
    for (const one of payloads(20)) await producer.append([one]);
    const options = { consumer: 'c', streams, shares: [9, 9], transactionsMax: 20, blockMs: 50 };
    const read = async () =>
      (await reader.readNew(options)).deliveries.map(({ entries }) => entries.length);
    expect(await read()).toEqual([9]);
    expect(await read()).toEqual([9]);
    expect(await read()).toEqual([2]);
    expect(await read()).toEqual([]);
  }
  redis.disconnect();
});

// The WebAssembly build is no cluster.
const onCluster = test.skipIf(inject('redisSource').kind === 'wasm');
onCluster('on a cluster every stream is waited for, whatever slot it has', async () => {
  await using own = await startOneNodeCluster();
  const { node, url } = own;
  const cluster = openCommands(url, 2000);
  await untilReady(cluster, 5000);
  {
    // A reader that is not woken fails the test by its own deadline.
    const blockMs = 60_000;
    await using reader = openReaderConnection(url, blockMs, cluster);
    const streams = [stream, streamKeys('m', 'DE-TR', 0)];
    const names = streams.map(({ transactions }) => transactions);
    await ensureGroups(cluster, names);
    const options = { consumer: 'c', streams, shares: [9, 9], transactionsMax: 9, blockMs };
    const waiting = async () => Number(/blocked_clients:(\d+)/.exec(await node.info())?.[1]);
    const untilWaiting = (count: number) =>
      waitUntil(async () => (await waiting()) === count, 10_000, `${count} waits`);
    const producer = createProducer({
      redis: cluster,
      market: 'm',
      shardsOf: () => 1,
      transactionsMax: 1000,
    });
    await producer.append(payloads(5));
    expect((await reader.readNew(options)).deliveries).toMatchObject([{ stream }]);
    for (const one of streams) {
      const read = reader.readNew(options);
      await untilWaiting(streams.length);
      await producer.append([payload(9, { corridor: one.corridor })]);
      expect((await read).deliveries).toMatchObject([{ stream: one }]);
      // The other readers no longer wait, so nothing is delivered to them.
      await untilWaiting(0);
    }
    const read = reader.readNew(options);
    await untilWaiting(streams.length);
    await reader.unblock();
    expect((await read).deliveries).toEqual([]);
  }
  cluster.disconnect();
});
