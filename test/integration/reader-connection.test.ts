/** Goal: a reader asks for what there is, and no oftener than it must. Method: real Redis, alone and as a cluster. */
import { expect, inject, test } from 'vitest';
import { openCommands, untilReady } from '../../src/stream/connection.ts';
import { ensureGroups } from '../../src/stream/consumer-group.ts';
import { streamKeys } from '../../src/stream/keys.ts';
import { createProducer } from '../../src/stream/producer.ts';
import { openReaderConnection } from '../../src/stream/reader-connection.ts';
import { startTestRedis } from '../support/services.ts';
import { payloads, stream } from '../support/stream-rig.ts';
import { waitUntil } from '../support/wait-until.ts';

test('after a small read that was full a backlog is read by its share, beside streams that have nothing', async () => {
  await using service = await startTestRedis();
  const redis = openCommands(service.url, 2000);
  await untilReady(redis, 5000);
  {
    await using reader = openReaderConnection(service.url, 50, redis);
    const streams = [stream, streamKeys('m', 'DE-TR', 0)].map((keys) => keys.transactions);
    await ensureGroups(redis, streams);
    const producer = createProducer({ redis, market: 'm', shards: 1, entriesMax: 1000 });
    await producer.append(payloads(200));
    const options = { consumer: 'c', streams, entriesMax: 9, shares: [100, 9], blockMs: 50 };
    const read = async () => (await reader.readNew(options)).map(({ entries }) => entries.length);
    expect(await read()).toEqual([9]);
    expect(await read()).toEqual([100]);
    expect(await read()).toEqual([91]);
    expect(await read()).toEqual([]);
  }
  redis.disconnect();
});

// The WebAssembly build is no cluster.
const onCluster = test.skipIf(inject('redisSource').kind === 'wasm');
onCluster(
  'on a cluster what is there is asked for once, and what others got only after a wait',
  async () => {
    const settings = { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' };
    await using service = await startTestRedis({ settings });
    const node = openCommands(service.url, 2000);
    await untilReady(node, 5000);
    await node.call('CLUSTER', ['ADDSLOTSRANGE', 0, 16_383]);
    await waitUntil(
      async () => (await node.cluster('INFO')).includes('cluster_state:ok'),
      10_000,
      'the cluster',
    );
    const cluster = openCommands(`${service.url},${service.url}`, 2000);
    await untilReady(cluster, 5000);
    {
      await using reader = openReaderConnection(`${service.url},${service.url}`, 50, cluster);
      const streams = [stream, streamKeys('m', 'DE-TR', 0)].map((keys) => keys.transactions);
      await ensureGroups(cluster, streams);
      const options = { consumer: 'c', streams, entriesMax: 9, blockMs: 50 };
      const reads = async () => {
        const statistics = await node.info('commandstats');
        return Number(/cmdstat_xreadgroup:calls=(\d+)/.exec(statistics)?.[1] ?? 0);
      };
      const producer = createProducer({ redis: cluster, market: 'm', shards: 1, entriesMax: 1000 });
      await producer.append(payloads(5));
      expect(await reader.readNew(options)).toMatchObject([{ stream: stream.transactions }]);
      expect(await reads()).toBe(2);
      expect(await reader.readNew(options)).toEqual([]);
      expect(await reads()).toBe(5);
    }
    node.disconnect();
    cluster.disconnect();
  },
);
