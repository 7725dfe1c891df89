/** A real Redis for a test file, emptied before each test, and a stream of transactions in it. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import type { EntryPayload } from '../../src/core/stream/entries/entry.ts';
import { createProducer } from '../../src/core/stream/entries/producer.ts';
import { ensureGroups } from '../../src/core/stream/group/consumer-group.ts';
import { readGroup } from '../../src/core/stream/group/read-group.ts';
import { GROUP, streamKeys } from '../../src/core/stream/keys.ts';
import type { MarketInRedis } from '../../src/core/stream/memory/memory.ts';
import { watchMemory } from '../../src/core/stream/memory/memory.ts';
import { openCommands, type RedisClient, untilReady } from '../../src/kit/redis/connection.ts';
import { startTestRedis, type TestService } from './services.ts';
import { idAt } from './stored-rows.ts';

/** A market in Redis alone. @param eventBytesMax 0 for no events */
export function marketIn(redis: RedisClient, eventBytesMax = 2 ** 30): MarketInRedis {
  return { name: 'm', redis, memory: watchMemory(eventBytesMax) };
}

export const AT_MS = Date.UTC(2026, 10, 1);
export const stream = streamKeys('m', 'US-EG', 0);

/** Called once at the top of a test file: it registers the hooks. */
export function createStreamRig() {
  let service: TestService;
  let redis: RedisClient;
  beforeAll(async () => {
    service = await startTestRedis();
    redis = openCommands(service.url, 2000);
    await untilReady(redis, 5000);
  });
  afterAll(async () => {
    redis.disconnect();
    await service[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await redis.flushall();
  });
  return {
    redis: () => redis,
    url: () => service.url,
    producer: (transactionsMax = 5000) =>
      createProducer({ redis, market: 'm', shardsOf: () => 1, transactionsMax }),
    /** Appends entries of one. */
    async appendSingly(all: readonly EntryPayload[]) {
      const one = createProducer({ redis, market: 'm', shardsOf: () => 1, transactionsMax: 5000 });
      for (const each of all) await one.append([each]);
    },
    /** Delivers the next so many transactions to a consumer; returns the ids of their entries. */
    async deliver(consumer: string, transactions: number) {
      await ensureGroups(redis, [stream.transactions]);
      const share = { shares: [transactions], transactionsMax: transactions };
      const read = { consumer, streams: [stream], ...share };
      const { deliveries } = await readGroup(redis, read);
      return deliveries[0]?.entries.map(({ id }) => id) ?? [];
    },
    /** Entries delivered and not yet acknowledged. */
    async pending() {
      const [count] = (await redis.xpending(stream.transactions, GROUP)) as unknown[];
      return Number(count);
    },
  };
}

export function payload(sequence: number, more: Partial<Transaction> = {}): EntryPayload {
  const transaction: Transaction = {
    ...{ transactionId: idAt(AT_MS, sequence), createdAtMs: AT_MS, receivedAtMs: AT_MS + sequence },
    ...{ accountId: `acc_${sequence}`, merchantId: 'm_1', amount: '10.00', currency: 'USD' },
    ...{ corridor: 'US-EG', type: null, ip: null, deviceId: null, country: null, channel: null },
    declared: null,
    ...more,
  };
  return { transaction, attempt: 1, origin: 'ingest', replyTo: null, rowId: null, sender: null };
}

export const payloads = (count: number): EntryPayload[] =>
  Array.from({ length: count }, (_, n) => payload(n));
