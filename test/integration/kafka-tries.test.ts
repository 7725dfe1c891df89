/** Goal: counts of partitions that workers gave up are gone, so that rebalances fill no memory. Method: real Redis. */
import { expect, test } from 'vitest';
import { createCountTries } from '../../src/core/stream/kafka/tries.ts';
import { kafkaTriesKey } from '../../src/core/stream/keys.ts';
import { openCommands } from '../../src/kit/redis/connection.ts';
import { startTestRedis } from '../support/services.ts';
import { waitUntil } from '../support/wait-until.ts';

test('a partition that is given up is counted no more, and one whose worker died is', async () => {
  await using server = await startTestRedis();
  const redis = openCommands(server.url, 2000);
  try {
    await waitUntil(() => redis.status === 'ready', 5000, 'redis');
    const countTries = createCountTries(redis, 'market_0');
    expect(await countTries(['t/0@5', 't/1@7'], 1)).toEqual([1, 1]);
    expect(await countTries(['t/0@5'], 1)).toEqual([2]);
    for (let offset = 10; offset < 20; offset += 1) {
      await countTries([`t/1@${offset}`], 1);
      await countTries([`t/1@${offset}`], -1);
    }
    await countTries(['t/1@7', 't/0@5'], -1);
    expect(await redis.hgetall(kafkaTriesKey('market_0'))).toEqual({ 't/0@5': '1' });
  } finally {
    redis.disconnect();
  }
});
