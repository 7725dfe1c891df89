/**
 * Goal: an endless number of new parties does not fill a small Redis: streams still take entries, folding
 * continues at half its speed at least, and existing logs are used. Method: a real Redis of 20 MB, tens of
 * thousands of parties that act once beside a few busy merchants, and the duty that keeps the budget.
 */
import { expect, test } from 'vitest';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { boundProfiles } from '../../src/core/stream/memory/bound-profiles.ts';
import { openCommands, untilReady } from '../../src/kit/redis/connection.ts';
import { startFold } from '../support/fold-rig.ts';
import { startTestRedis } from '../support/services.ts';
import { idAt } from '../support/stored-rows.ts';

const T0 = Date.UTC(2026, 10, 1);
const [BATCH, BATCHES, WINDOW] = [500, 100, 20];
const BUSY_MERCHANTS = 20;
/** Batches between two checks of the budget: more than a worker at full speed has in half a second. */
const LOOK_EVERY = 10;

function makeBatch(from: number): Transaction[] {
  return Array.from({ length: BATCH }, (_, index) => {
    const number = from + index;
    const createdAtMs = T0 + number;
    return {
      ...{ transactionId: idAt(createdAtMs, number), createdAtMs, receivedAtMs: createdAtMs },
      accountId: `new-account-${number}`,
      // Every other transaction is at a new merchant.
      merchantId: number % 2 === 0 ? `busy-${number % BUSY_MERCHANTS}` : `new-merchant-${number}`,
      ...{ amount: '10', currency: 'USD', corridor: 'US-EG', type: null, ip: null },
      ...{ deviceId: null, country: null, channel: null, declared: null },
    };
  });
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

test('tens of thousands of new parties leave 20 MB of Redis to the streams', async () => {
  await using service = await startTestRedis({ settings: { maxmemory: '20mb' } });
  const redis = openCommands(service.url, 5000);
  try {
    await untilReady(redis, 5000);
    const { fold, market, rebuilds } = startFold({ redis, market: 'm', bytesMax: 2 ** 20 });
    const cpuMs: number[] = [];
    for (let batch = 0; batch < BATCHES; batch++) {
      const transactions = makeBatch(batch * BATCH);
      const before = process.cpuUsage();
      await fold(transactions);
      const { user, system } = process.cpuUsage(before);
      cpuMs.push((user + system) / 1000);
      // A refused append would throw: the stream has stopped.
      await redis.xadd('{m:US-EG:0}:transactions', '*', 'entry', Buffer.alloc(10_000));
      if (batch % LOOK_EVERY === 0) await boundProfiles(market);
    }
    const info = await redis.info('memory');
    expect(Number(/used_memory:(\d+)/.exec(info)?.[1])).toBeLessThan(18 * 2 ** 20);
    const early = median(cpuMs.slice(WINDOW, 2 * WINDOW)) ?? 0;
    const late = median(cpuMs.slice(-WINDOW)) ?? Number.POSITIVE_INFINITY;
    expect(late).toBeLessThan(2 * early);
    // Each new merchant is rebuilt once; busy ones now and then, where their log was dropped.
    const newOnes = (BATCH * BATCHES) / 2;
    expect(await rebuilds('merchant')).toBeLessThan(newOnes + 30 * BUSY_MERCHANTS);
    const merchants = makeBatch(BATCH * BATCHES).filter(({ merchantId }) =>
      merchantId.startsWith('busy'),
    );
    await fold(merchants);
  } finally {
    redis.disconnect();
  }
}, 120_000);
