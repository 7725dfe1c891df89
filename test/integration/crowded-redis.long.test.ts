/**
 * Goal: an endless number of new parties does not fill a small Redis: streams still take entries, and logs of busy merchants are
 * used. Method: tens of thousands of parties that act once, a Redis of 20 MB, and the duty that keeps the budget.
 */
import { expect, test } from 'vitest';
import { boundProfiles } from '../../src/core/stream/memory/bound-profiles.ts';
import { openCommands, untilReady } from '../../src/kit/redis/connection.ts';
import { startFold } from '../support/fold-rig.ts';
import { startTestRedis } from '../support/services.ts';
import { AT_MS, payload } from '../support/stream-rig.ts';

const [BATCH, BATCHES, BUSY] = [500, 100, 20];
/** Batches between two checks of the budget: more than a worker at full speed has in half a second. */
const LOOK_EVERY = 10;

/** Every other transaction is at a new merchant. */
const transactionAt = (n: number) =>
  payload(n, {
    createdAtMs: AT_MS + n,
    accountId: `account-${n}`,
    merchantId: n % 2 === 0 ? `busy-${n % BUSY}` : `merchant-${n}`,
  }).transaction;

test('tens of thousands of new parties leave 20 MB of Redis to the streams', async () => {
  await using service = await startTestRedis({ settings: { maxmemory: '20mb' } });
  const redis = openCommands(service.url, 5000);
  await untilReady(redis, 5000);
  const { fold, market, rebuilds } = startFold({ redis, market: 'm', bytesMax: 2 ** 20 });
  for (let batch = 0; batch < BATCHES; batch++) {
    await fold(Array.from({ length: BATCH }, (_, nth) => transactionAt(batch * BATCH + nth)));
    // A refused append would throw: the stream has stopped.
    await redis.xadd('{m:US-EG:0}:transactions', '*', 'entry', Buffer.alloc(10_000));
    if (batch % LOOK_EVERY === 0) await boundProfiles(market);
  }
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  expect(used).toBeLessThan(18 * 2 ** 20);
  // Each new merchant is rebuilt once; busy ones now and then, where their log was dropped.
  expect(await rebuilds('merchant')).toBeLessThan((BATCH * BATCHES) / 2 + 30 * BUSY);
  redis.disconnect();
}, 120_000);
