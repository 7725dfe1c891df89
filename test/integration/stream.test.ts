/**
 * Goal: each script does its whole job or nothing of it, and only for who may. Method: real Redis, one
 * for the file, emptied before each test.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Transaction } from '../../src/domain/transaction.ts';
import { openCommands, type RedisClient } from '../../src/stream/connection.ts';
import {
  CLAIM_START,
  createGroupDuties,
  ensureGroups,
  listConsumers,
  readNew,
  readOwn,
} from '../../src/stream/consumer-group.ts';
import { type EntryPayload, encodeEntry } from '../../src/stream/entry.ts';
import { GROUP, streamKeys } from '../../src/stream/keys.ts';
import { measureStreams } from '../../src/stream/lag.ts';
import { createProducer } from '../../src/stream/producer.ts';
import { createPromoteRetries } from '../../src/stream/retries.ts';
import { createSettle, type Settlement } from '../../src/stream/settle.ts';
import { readWaiting } from '../../src/stream/waiting.ts';
import { startTestRedis, type TestService } from '../support/services.ts';
import { idAt } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';

let service: TestService;
let redis: RedisClient;
beforeAll(async () => {
  service = await startTestRedis();
  redis = openCommands(service.url, 2000);
  await waitUntil(() => redis.status === 'ready', 5000, 'redis');
});
afterAll(async () => {
  redis.disconnect();
  await service[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await redis.flushall();
});

const stream = streamKeys('m', 'US-EG', 0);
const AT_MS = Date.UTC(2026, 10, 1);

function payload(sequence: number, more: Partial<Transaction> = {}): EntryPayload {
  const transaction: Transaction = {
    ...{ transactionId: idAt(AT_MS, sequence), createdAtMs: AT_MS, receivedAtMs: AT_MS + sequence },
    ...{ accountId: `acc_${sequence}`, merchantId: 'm_1', amount: '10.00', currency: 'USD' },
    ...{ corridor: 'US-EG', type: null, ip: null, deviceId: null, country: null, channel: null },
    ...more,
  };
  return { transaction, attempt: 1, origin: 'ingest', replyTo: null };
}
const payloads = (count: number) => Array.from({ length: count }, (_, n) => payload(n));

function producer(entriesMax = 1000, shards = 1) {
  return createProducer({ redis, market: 'm', shards, entriesMax });
}

async function deliver(consumer: string, count: number): Promise<string[]> {
  await ensureGroups(redis, [stream.transactions]);
  const streams = [stream.transactions];
  const [delivery] = await readNew(redis, { consumer, streams, entriesMax: count, blockMs: 10 });
  return delivery?.entries.map(({ id }) => id) ?? [];
}

function settlement(consumer: string, more: Partial<Settlement>): Settlement {
  return {
    ...{ stream, consumer, scoredAt: '2026-11-01T00:00:00.000Z' },
    ...{ acknowledged: [], retries: [], deadLetters: [], released: [], replies: [] },
    ...more,
  };
}
const settle = (...settlements: Settlement[]) =>
  createSettle({ redis, market: 'm', scoredEventsMax: 100 })(settlements);
const pending = async () =>
  Number(((await redis.xpending(stream.transactions, GROUP)) as unknown[])[0]);

describe('producer', () => {
  test('appends to the stream of corridor and shard, in order', async () => {
    const all = [...payloads(3), payload(3, { corridor: 'DE-TR' })];
    expect(await producer().append(all)).toEqual({ appended: 4, refused: 0, left: [] });
    const entries = await redis.xrange(stream.transactions, '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual(
      payloads(3).map((one) => ['v', '1', 'd', encodeEntry(one)]),
    );
    expect(await redis.xlen(streamKeys('m', 'DE-TR', 0).transactions)).toBe(1);
  });

  test('refuses the whole group of a stream that would be too long, and no other', async () => {
    await producer(5).append(payloads(3));
    const other = payload(9, { corridor: 'DE-TR' });
    const result = await producer(5).append([...payloads(3), other]);
    expect(result).toMatchObject({ appended: 1, refused: 3 });
    expect(await redis.xlen(stream.transactions)).toBe(3);
  });

  test('goes on when the server has forgotten the script', async () => {
    const one = producer();
    await one.append(payloads(1));
    await redis.script('FLUSH');
    await one.append([payload(1), payload(2, { corridor: 'DE-TR' })]);
    expect(await redis.xlen(stream.transactions)).toBe(2);
  });

  test('calls an answer of a full or read-only Redis unavailable', async () => {
    await redis.config('SET', 'maxmemory', '1');
    await expect(producer().append(payloads(1))).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'REDIS_OOM',
    });
    await redis.config('SET', 'maxmemory', '0');
    await redis.replicaof('127.0.0.1', 1);
    await expect(producer().append(payloads(1))).rejects.toMatchObject({ code: 'REDIS_READONLY' });
    await redis.replicaof('NO', 'ONE');
  });
});

describe('settle', () => {
  const event = { transactionId: 'tx', accountId: 'acc', score: 7, verdict: 'approve' };

  test('acknowledges, deletes and announces a thousand entries in one call', async () => {
    await producer(2000).append(payloads(1500));
    const ids = await deliver('c', 1500);
    const acknowledged = ids.map((entryId) => ({ entryId, event }));
    const [gone] = await settle(settlement('c', { acknowledged }));
    expect(gone).toEqual(new Set());
    expect([await pending(), await redis.xlen(stream.transactions)]).toEqual([0, 0]);
    const [[, fields] = ['', []]] = await redis.xrevrange(stream.scored, '+', '-', 'COUNT', 1);
    expect(fields).toEqual([
      ...['v', '1', 'transaction_id', 'tx', 'account_id', 'acc', 'score', '7'],
      ...['verdict', 'approve', 'scored_at', '2026-11-01T00:00:00.000Z'],
    ]);
    // Trimmed about to its bound: whole nodes only.
    expect(await redis.xlen(stream.scored)).toBeLessThan(300);
  });

  test('tells which acknowledged entries somebody else has settled', async () => {
    await producer().append(payloads(2));
    const ids = await deliver('c', 2);
    await redis.xack(stream.transactions, GROUP, ids[0] ?? '');
    const acknowledged = ids.map((entryId) => ({ entryId, event }));
    expect(await settle(settlement('c', { acknowledged }))).toEqual([new Set([ids[0]])]);
    expect(await redis.xlen(stream.scored)).toBe(1);
  });

  test('moves nothing that another consumer has taken over', async () => {
    await producer().append(payloads(3));
    const [retry = '', dead = '', released = ''] = await deliver('zombie', 3);
    await createGroupDuties(redis).claim([
      {
        ...{ stream: stream.transactions, consumer: 'heir', idleMs: 0 },
        ...{ cursor: CLAIM_START, entriesMax: 10 },
      },
    ]);
    const letter = { transactionId: null, accountId: null, attempts: 1, error: 'x', failedAt: 'y' };
    const claims = {
      retries: [{ entryId: retry, waitMs: 0, packed: 'next' }],
      deadLetters: [{ entryId: dead, ...letter }],
      released: [{ entryId: released, packed: 'same' }],
    };
    await settle(settlement('zombie', claims));
    expect(await pending()).toBe(3);
    await settle(settlement('heir', claims));
    expect(await pending()).toBe(0);
    expect(await redis.zcard(stream.retries)).toBe(1);
    expect(await redis.xlen(stream.deadLetters)).toBe(1);
    const entries = await redis.xrange(stream.transactions, '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual([['v', '1', 'd', 'same']]);
  });

  test('gets through when the group is gone, and when Redis is full', async () => {
    await producer().append(payloads(2));
    const [first = '', second = ''] = await deliver('c', 2);
    await redis.config('SET', 'maxmemory', '1');
    await settle(settlement('c', { retries: [{ entryId: first, waitMs: 0, packed: 'next' }] }));
    await redis.config('SET', 'maxmemory', '0');
    expect(await redis.zcard(stream.retries)).toBe(1);
    await redis.xgroup('DESTROY', stream.transactions, GROUP);
    await settle(settlement('c', { retries: [{ entryId: second, waitMs: 0, packed: 'next' }] }));
    expect(await redis.xlen(stream.transactions)).toBe(1);
  });
});

describe('promoteRetries', () => {
  test('moves what is due, oldest first, and leaves the rest', async () => {
    const now = Date.now();
    const due = { second: now - 10, first: now - 20, later: now + 60_000 };
    for (const [packed, atMs] of Object.entries(due))
      await redis.zadd(stream.retries, atMs, packed);
    expect(await createPromoteRetries(redis)([stream])).toBe(2);
    const entries = await redis.xrange(stream.transactions, '-', '+');
    expect(entries.map(([, fields]) => fields[3])).toEqual(['first', 'second']);
    expect(await redis.zrange(stream.retries, 0, -1)).toEqual(['later']);
  });
});

describe('group duties', () => {
  test('claim walks on from its cursor, counts deliveries and drops deleted entries', async () => {
    await producer().append(payloads(30));
    const ids = await deliver('dead', 30);
    await redis.xdel(stream.transactions, ids[0] ?? '');
    const { claim } = createGroupDuties(redis);
    const seen: string[] = [];
    let cursor = CLAIM_START;
    do {
      const [claimed] = await claim([
        { stream: stream.transactions, consumer: 'heir', idleMs: 0, cursor, entriesMax: 10 },
      ]);
      if (claimed === undefined || claimed instanceof Error) throw claimed;
      for (const entry of claimed.entries) {
        expect(entry).toMatchObject({ deleted: false, deliveries: 2 });
        seen.push(entry.id);
      }
      cursor = claimed.cursor;
    } while (cursor !== CLAIM_START);
    expect(seen).toEqual(ids.slice(1));
    expect(await pending()).toBe(29);
  });

  test('heartbeat keeps what is ours and leaves what is not', async () => {
    await producer().append(payloads(2));
    const [ours = ''] = await deliver('c', 1);
    const [theirs = ''] = await deliver('other', 1);
    const duties = createGroupDuties(redis);
    expect(await duties.heartbeat(stream.transactions, 'c', [ours, theirs])).toBe(1);
    const rows = (await redis.xpending(stream.transactions, GROUP, '-', '+', 10)) as unknown[][];
    expect(rows.map((row) => [row[1], row[3]])).toEqual([
      ['c', 1],
      ['other', 1],
    ]);
  });

  test('removeConsumer spares a consumer with something pending', async () => {
    await producer().append(payloads(1));
    const [id = ''] = await deliver('c', 1);
    const duties = createGroupDuties(redis);
    await duties.removeConsumer([stream.transactions, 'no:such:stream'], 'c');
    expect((await listConsumers(redis, stream.transactions)).map(({ name }) => name)).toEqual([
      'c',
    ]);
    await redis.xack(stream.transactions, GROUP, id);
    await duties.removeConsumer([stream.transactions], 'c');
    expect(await listConsumers(redis, stream.transactions)).toEqual([]);
    expect(await listConsumers(redis, 'no:such:stream')).toEqual([]);
  });

  test('readOwn gives what was delivered and never settled', async () => {
    await producer().append(payloads(3));
    const ids = await deliver('c', 3);
    await redis.xack(stream.transactions, GROUP, ids[1] ?? '');
    const read = { consumer: 'c', streams: [stream.transactions], entriesMax: 10, blockMs: 0 };
    const [own] = await readOwn(redis, read, '0');
    expect(own?.entries.map(({ id }) => id)).toEqual([ids[0], ids[2]]);
  });
});

describe('measureStreams', () => {
  test('tells lag, pending and age, also where the server does not know the lag', async () => {
    await producer().append(payloads(10));
    await deliver('c', 4);
    const [, , , , , undelivered] = await redis.xrange(stream.transactions, '-', '+');
    await redis.xdel(stream.transactions, undelivered?.[0] ?? '');
    await redis.zadd(stream.retries, 1, 'a');
    const [measured, empty] = await measureStreams(redis, [stream, streamKeys('m', 'DE-TR', 0)]);
    expect(measured).toMatchObject({ lag: 5, pending: 4, retriesWaiting: 1, deadLetters: 0 });
    expect(measured?.oldestAgeMs).toBeGreaterThanOrEqual(0);
    expect(empty).toMatchObject({ lag: 0, pending: 0, oldestAgeMs: 0, retriesWaiting: 0 });
  });
});

describe('readWaiting', () => {
  test('pages over stream and retries and leaves out what cannot be read', async () => {
    await producer(5000).append(payloads(2500));
    await redis.xadd(stream.transactions, '*', 'v', '1', 'd', 'rubbish');
    const retries = Array.from({ length: 300 }, (_, n) => payload(5000 + n));
    for (const one of retries) await redis.zadd(stream.retries, 1, encodeEntry(one));
    const seen = new Map<string, number>();
    for await (const page of readWaiting(redis, stream)) {
      expect(page.length).toBeLessThanOrEqual(1000);
      for (const { transactionId, receivedAtMs } of page) seen.set(transactionId, receivedAtMs);
    }
    expect(seen.size).toBe(2800);
    expect(seen.get(idAt(AT_MS, 7))).toBe(AT_MS + 7);
  });
});
