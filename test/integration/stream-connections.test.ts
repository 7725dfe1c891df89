/** How commands leave for Redis, and what a blocked read returns. */
import { describe, expect, test } from 'vitest';
import { ensureGroups } from '../../src/core/stream/group/consumer-group.ts';
import { openReaderConnection } from '../../src/core/stream/group/reader-connection.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { openCommands, untilReady } from '../../src/kit/redis/connection.ts';
import { createStreamRig, payload } from '../support/stream-rig.ts';

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

describe('a read that waits', () => {
  test('brings what was appended to several streams at once', async () => {
    await ensureGroups(redis(), NAMES);
    await using reader = openReaderConnection(url(), BLOCK_MS, redis());
    const shares = CORRIDORS.map(() => 100);
    const read = {
      consumer: 'c',
      streams: STREAMS,
      shares,
      transactionsMax: 100,
      blockMs: BLOCK_MS,
    };
    const reading = reader.readNew(read);
    await expect.poll(async () => await redis().info('clients')).toMatch(/blocked_clients:1/);
    await producer().append(CORRIDORS.map((corridor, n) => payload(n, { corridor })));
    const { deliveries } = await reading;
    expect(new Set(deliveries.map(({ stream }) => stream))).toEqual(new Set(STREAMS));
    expect(deliveries.flatMap(({ entries }) => entries)).toHaveLength(CORRIDORS.length);
  });

  test('of one stream alone brings that', async () => {
    await ensureGroups(redis(), NAMES);
    await using reader = openReaderConnection(url(), BLOCK_MS, redis());
    const streams = STREAMS.slice(0, 1);
    const read = { consumer: 'c', streams, shares: [100], transactionsMax: 100, blockMs: BLOCK_MS };
    await producer().append([payload(1, { corridor: 'US-EG' })]);
    expect((await reader.readNew(read)).deliveries).toMatchObject([{ stream: STREAMS[0] }]);
  });
});
