/**
 * Goal: commands leave for Redis together, and a blocked read returns what is appended, from one node and from a cluster. Method:
 * real Redis.
 */
import { expect, test } from 'vitest';
import { createProducer } from '../../src/core/stream/entries/producer.ts';
import { ensureGroups } from '../../src/core/stream/group/consumer-group.ts';
import { openReaderConnection } from '../../src/core/stream/group/reader-connection.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { openCommands, untilReady } from '../../src/kit/redis/connection.ts';
import { startOneNodeCluster } from '../support/one-node-cluster.ts';
import { createStreamRig, payload, payloads, stream } from '../support/stream-rig.ts';
import { waitUntil } from '../support/wait-until.ts';

const { redis, url, producer } = createStreamRig();
const CORRIDORS = ['US-EG', 'DE-TR', 'US-US'];
const STREAMS = CORRIDORS.map((corridor) => streamKeys('m', corridor, 0));
const NAMES = STREAMS.map(({ transactions }) => transactions);
const BLOCK_MS = 5000;

test('commands of one turn leave together, when it ends', async () => {
  const client = openCommands(url(), 1000);
  await untilReady(client, 1000);
  if (!('stream' in client)) throw new Error('one node was expected');
  const { stream } = client;
  const before = stream.bytesWritten - stream.writableLength;
  const sent = CORRIDORS.map((corridor) => client.set(corridor, 'x'));
  expect(stream.bytesWritten - stream.writableLength).toBe(before);
  expect(await Promise.all(sent)).toEqual(['OK', 'OK', 'OK']);
  expect(stream.writableCorked).toBe(0);
  expect(await client.get('US-EG')).toBe('x');
  client.disconnect();
});

test.each([true, false])(
  'a read that waits brings what was appended to several streams at once, quiet before: %s',
  async (isQuiet) => {
    await ensureGroups(redis(), NAMES);
    await using reader = openReaderConnection(url(), BLOCK_MS, redis());
    const shares = CORRIDORS.map(() => 100);
    const read = {
      consumer: 'c',
      streams: STREAMS,
      shares,
      transactionsMax: 100,
      blockMs: BLOCK_MS,
      isQuiet,
    };
    const reading = reader.readNew(read);
    await expect.poll(async () => await redis().info('clients')).toMatch(/blocked_clients:1/);
    await producer().append(CORRIDORS.map((corridor, n) => payload(n, { corridor })));
    const { deliveries } = await reading;
    expect(new Set(deliveries.map(({ stream }) => stream))).toEqual(new Set(STREAMS));
    expect(deliveries.flatMap(({ entries }) => entries)).toHaveLength(CORRIDORS.length);
  },
);

test('a stream that fails ends no wait of the others', async () => {
  await ensureGroups(redis(), NAMES);
  await using reader = openReaderConnection(url(), BLOCK_MS, redis());
  const [broken, ...others] = STREAMS;
  await redis().set(broken?.transactions ?? '', 'no stream');
  await producer().append(CORRIDORS.slice(1).map((corridor, n) => payload(n, { corridor })));
  const options = { consumer: 'c', streams: STREAMS, shares: CORRIDORS.map(() => 100) };
  const read = { ...options, transactionsMax: 100, blockMs: BLOCK_MS, isQuiet: true };
  const { deliveries, failed } = await reader.readNew(read);
  expect([...failed.keys()]).toEqual([broken]);
  expect(new Set(deliveries.map(({ stream }) => stream))).toEqual(new Set(others));
});

test('on a cluster every stream is waited for, whatever slot it has', async () => {
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
    const options = {
      consumer: 'c',
      streams,
      shares: [9, 9],
      transactionsMax: 9,
      blockMs,
      isQuiet: true,
    };
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
