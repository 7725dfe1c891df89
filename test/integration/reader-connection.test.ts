/** Goal: a reader asks each stream for its share as soon as one has more. Method: real Redis, one backlog. */
import { expect, test } from 'vitest';
import { openCommands, untilReady } from '../../src/stream/connection.ts';
import { ensureGroups } from '../../src/stream/consumer-group.ts';
import { streamKeys } from '../../src/stream/keys.ts';
import { createProducer } from '../../src/stream/producer.ts';
import { openReaderConnection } from '../../src/stream/reader-connection.ts';
import { startTestRedis } from '../support/services.ts';
import { payloads, stream } from '../support/stream-rig.ts';

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
