/** Goal: a stream that takes no events keeps entries of its own corridor alone from their end. Method: real Redis. */
import { expect, test } from 'vitest';
import { createKafkaEnds } from '../../src/core/stream/kafka/settle.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { openCommands } from '../../src/kit/redis/connection.ts';
import { startTestRedis } from '../support/services.ts';
import { waitUntil } from '../support/wait-until.ts';

const settlementOf = (corridor: string) => ({
  ...{ stream: streamKeys('market_0', corridor, 0), consumer: 'c', replaced: [], replies: [] },
  ended: [
    {
      ...{ entryId: '5', transactions: 1, scoredAtMs: 0, needsOwner: false },
      ...{ scores: [{ count: 1, rows: '["id"]' }], retries: [], deadLetters: [] },
    },
  ],
});

test('a stream that takes no events keeps the entries of its corridor open, and no others', async () => {
  await using server = await startTestRedis();
  const redis = openCommands(server.url, 2000);
  try {
    await waitUntil(() => redis.status === 'ready', 5000, 'redis');
    const done: string[] = [];
    const ends = createKafkaEnds({
      clients: { send: async () => undefined },
      ...{ redis, market: 'market_0', logOf: () => 'both', nowMs: Date.now },
      hasEventRoom: () => true,
      done: (entries) => done.push(...entries.map(({ stream }) => stream.corridor)),
    });
    const settlements = ['US-EG', 'US-MX'].map(settlementOf);
    const [broken, whole] = settlements.map(({ stream }) => stream.scored);
    await redis.set(String(broken), 'no stream');
    const { failures } = await ends.settle(settlements);
    expect(failures.map((one) => one?.code)).toEqual(['REDIS_WRONGTYPE', undefined]);
    expect(done).toEqual(['US-MX']);
    expect(await redis.xlen(String(whole))).toBe(1);
    await redis.del(String(broken));
    expect((await ends.settle(settlements.slice(0, 1))).failures).toEqual([null]);
    expect(done).toEqual(['US-MX', 'US-EG']);
  } finally {
    redis.disconnect();
  }
});
