/**
 * Goal: each script does its whole job or nothing of it. Method: real Redis, one for the file, emptied
 * before each test.
 */
import { describe, expect, test } from 'vitest';
import { CLAIM_START, createGroupDuties, listConsumers } from '../../src/stream/consumer-group.ts';
import { encodeEntry } from '../../src/stream/entry.ts';
import { createStreamHolds } from '../../src/stream/holds.ts';
import { GROUP, streamKeys } from '../../src/stream/keys.ts';
import { measureStreams } from '../../src/stream/lag.ts';
import { createProducer } from '../../src/stream/producer.ts';
import { readOwn } from '../../src/stream/read-group.ts';
import { createPromoteRetries } from '../../src/stream/retries.ts';
import { readWaiting } from '../../src/stream/waiting.ts';
import { idAt } from '../support/stored-rows.ts';
import { AT_MS, createStreamRig, payload, payloads, stream } from '../support/stream-rig.ts';

const { redis, producer, deliver, pending } = createStreamRig();

describe('producer', () => {
  test('appends to the stream of corridor and shard, in order', async () => {
    const all = [...payloads(3), payload(3, { corridor: 'DE-TR' })];
    expect(await producer().append(all)).toEqual({ appended: 4, refused: 0, left: [] });
    const entries = await redis().xrange(stream.transactions, '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual(
      payloads(3).map((one) => ['v', '1', 'd', encodeEntry(one)]),
    );
    expect(await redis().xlen(streamKeys('m', 'DE-TR', 0).transactions)).toBe(1);
  });

  test('refuses the whole group of a stream that would be too long, and no other', async () => {
    await producer(5).append(payloads(3));
    const other = payload(9, { corridor: 'DE-TR' });
    const result = await producer(5).append([...payloads(3), other]);
    expect(result).toMatchObject({ appended: 1, refused: 3 });
    expect(await redis().xlen(stream.transactions)).toBe(3);
  });

  test('goes on when the server has forgotten the script', async () => {
    const one = producer();
    await one.append(payloads(1));
    await redis().script('FLUSH');
    await one.append([payload(1), payload(2, { corridor: 'DE-TR' })]);
    expect(await redis().xlen(stream.transactions)).toBe(2);
  });

  test('calls an answer of a full or read-only Redis unavailable', async () => {
    await redis().config('SET', 'maxmemory', '1');
    await expect(producer().append(payloads(1))).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'REDIS_OOM',
    });
    await redis().config('SET', 'maxmemory', '0');
    await redis().replicaof('127.0.0.1', 1);
    await expect(producer().append(payloads(1))).rejects.toMatchObject({ code: 'REDIS_READONLY' });
    await redis().replicaof('NO', 'ONE');
  });
});

describe('a held stream', () => {
  const holds = () => createStreamHolds(redis());
  const state = async () => (await holds().read([stream]))[0];
  const reconciler = (entriesMax = 5000) =>
    createProducer({ redis: redis(), market: 'm', shards: 1, entriesMax, bringsOwed: true });

  test('is held from its first refusal on, for every process, room or not', async () => {
    await producer(2).append(payloads(2));
    expect(await state()).toMatchObject({ refusals: null, entries: 2 });
    expect(await producer(2).append([payload(3)])).toMatchObject({ refused: 1 });
    await redis().xtrim(stream.transactions, 'MAXLEN', 0);
    const other = payload(5, { corridor: 'DE-TR' });
    const result = await producer(2).append([payload(4), other]);
    expect(result).toEqual({ appended: 1, refused: 1, left: [payload(4)] });
    expect(await state()).toMatchObject({ refusals: 2, entries: 0 });
  });

  test('takes from the reconciler the first ones that fit', async () => {
    await holds().hold([stream]);
    const result = await reconciler(3).append(payloads(5));
    expect(result).toEqual({ appended: 3, refused: 2, left: payloads(5).slice(3) });
    expect((await reconciler(3).append([payload(3)])).appended).toBe(0);
  });

  test('is released only when nothing was refused since it was looked at', async () => {
    await holds().hold([stream]);
    const seen = (await state())?.refusals ?? null;
    await producer().append(payloads(1));
    expect(await holds().release(stream, seen)).toBe(false);
    expect(await producer().append(payloads(1))).toMatchObject({ refused: 1 });
    expect(await holds().release(stream, (await state())?.refusals ?? null)).toBe(true);
    expect(await producer().append(payloads(1))).toMatchObject({ appended: 1 });
  });

  test('is held by a process whose append failed, or was not tried, before it appends again', async () => {
    const failing = producer();
    await redis().config('SET', 'maxmemory', '1');
    await expect(failing.append(payloads(1))).rejects.toMatchObject({ code: 'REDIS_OOM' });
    await redis().config('SET', 'maxmemory', '0');
    expect(await failing.append(payloads(1))).toMatchObject({ refused: 1 });
    expect((await state())?.refusals).toBe(1);
    await holds().release(stream, null);
    expect(await failing.append(payloads(1))).toMatchObject({ appended: 1 });
    failing.leave(payloads(1));
    expect(await failing.append(payloads(1))).toMatchObject({ refused: 1 });
  });
});

describe('promoteRetries', () => {
  test('moves what is due, oldest first, and leaves the rest', async () => {
    const now = Date.now();
    const due = { second: now - 10, first: now - 20, later: now + 60_000 };
    for (const [packed, atMs] of Object.entries(due))
      await redis().zadd(stream.retries, String(atMs), packed);
    expect(await createPromoteRetries(redis())([stream])).toBe(2);
    const entries = await redis().xrange(stream.transactions, '-', '+');
    expect(entries.map(([, fields]) => fields[3])).toEqual(['first', 'second']);
    expect(await redis().zcard(stream.retries)).toBe(1);
    expect(await redis().zscore(stream.retries, 'later')).toBe(String(due.later));
  });
});

describe('group duties', () => {
  test('claim walks on from its cursor, counts deliveries and drops deleted entries', async () => {
    await producer().append(payloads(30));
    const ids = await deliver('dead', 30);
    await redis().xdel(stream.transactions, ids[0] ?? '');
    const { claim } = createGroupDuties(redis());
    const options = { stream: stream.transactions, consumer: 'heir', idleMs: 0, entriesMax: 10 };
    const seen: string[] = [];
    let cursor = CLAIM_START;
    do {
      const claimed = await claim({ ...options, cursor });
      for (const entry of claimed.entries) {
        expect(entry).toMatchObject({ deleted: false, deliveries: 2 });
        seen.push(entry.id);
      }
      cursor = claimed.cursor;
    } while (cursor !== CLAIM_START);
    expect(seen).toEqual(ids.slice(1));
    expect(await pending()).toBe(29);
    const tooYoung = await claim({ ...options, idleMs: 60_000, cursor });
    expect(tooYoung).toEqual({ cursor: CLAIM_START, entries: [] });
  });

  test('claim takes an entry that was delivered often alone, and leaves others uncounted', async () => {
    await producer().append(payloads(5));
    const ids = await deliver('dead', 5);
    const suspect = [
      'XCLAIM',
      stream.transactions,
      GROUP,
      'dead',
      0,
      ids[2] ?? '',
      'RETRYCOUNT',
      3,
    ];
    await redis().call(suspect[0] as string, suspect.slice(1));
    const { claim } = createGroupDuties(redis());
    const batches: (readonly [string, number])[][] = [];
    let cursor = CLAIM_START;
    do {
      const options = { consumer: 'heir', idleMs: 0, entriesMax: 10, cursor };
      const claimed = await claim({ stream: stream.transactions, ...options });
      batches.push(claimed.entries.map(({ id, deliveries }) => [id, deliveries] as const));
      cursor = claimed.cursor;
    } while (cursor !== CLAIM_START);
    expect(batches.filter((batch) => batch.length > 0)).toEqual([
      [
        [ids[0], 2],
        [ids[1], 2],
      ],
      [[ids[2], 4]],
      [
        [ids[3], 2],
        [ids[4], 2],
      ],
    ]);
  });

  test('heartbeat keeps what is ours and leaves what is not', async () => {
    await producer().append(payloads(2));
    const [ours = ''] = await deliver('c', 1);
    const [theirs = ''] = await deliver('other', 1);
    const duties = createGroupDuties(redis());
    expect(await duties.heartbeat(stream.transactions, 'c', [ours, theirs])).toBe(1);
    const rows = (await redis().xpending(stream.transactions, GROUP, '-', '+', 10)) as unknown[][];
    expect(rows.map((row) => [row[1], row[3]])).toEqual([
      ['c', 1],
      ['other', 1],
    ]);
  });

  test('removeConsumer spares a consumer with something pending', async () => {
    await producer().append(payloads(1));
    const [id = ''] = await deliver('c', 1);
    const duties = createGroupDuties(redis());
    await duties.removeConsumer([stream.transactions, 'no:such:stream'], 'c');
    expect((await listConsumers(redis(), stream.transactions)).map(({ name }) => name)).toEqual([
      'c',
    ]);
    await redis().xack(stream.transactions, GROUP, id);
    await duties.removeConsumer([stream.transactions], 'c');
    expect(await listConsumers(redis(), stream.transactions)).toEqual([]);
    expect(await listConsumers(redis(), 'no:such:stream')).toEqual([]);
  });

  test('readOwn gives what was delivered and never settled', async () => {
    await producer().append(payloads(3));
    const ids = await deliver('c', 3);
    await redis().xack(stream.transactions, GROUP, ids[1] ?? '');
    const read = { consumer: 'c', streams: [stream.transactions], entriesMax: 10, blockMs: 0 };
    const [own] = await readOwn(redis(), read, '0');
    expect(own?.entries.map(({ id }) => id)).toEqual([ids[0], ids[2]]);
  });
});

describe('measureStreams', () => {
  test('tells lag, pending and age, also where the server does not know the lag', async () => {
    await producer().append(payloads(10));
    await deliver('c', 4);
    const [, , , , , undelivered] = await redis().xrange(stream.transactions, '-', '+');
    await redis().xdel(stream.transactions, undelivered?.[0] ?? '');
    await redis().zadd(stream.retries, 1, 'a');
    const [measured, empty] = await measureStreams(redis(), [stream, streamKeys('m', 'DE-TR', 0)]);
    expect(measured).toMatchObject({ lag: 5, pending: 4, retriesWaiting: 1, deadLetters: 0 });
    expect(measured?.oldestAgeMs).toBeGreaterThanOrEqual(0);
    expect(empty).toMatchObject({ lag: 0, pending: 0, oldestAgeMs: 0, retriesWaiting: 0 });
  });
});

describe('readWaiting', () => {
  test('pages over stream and retries and leaves out what cannot be read', async () => {
    await producer(5000).append(payloads(2500));
    await redis().xadd(stream.transactions, '*', 'v', '1', 'd', 'rubbish');
    const retries = Array.from({ length: 300 }, (_, n) => payload(5000 + n));
    for (const one of retries) await redis().zadd(stream.retries, 1, encodeEntry(one));
    const seen = new Map<string, number>();
    for await (const page of readWaiting(redis(), stream)) {
      expect(page.length).toBeLessThanOrEqual(1000);
      for (const { transactionId, receivedAtMs } of page) seen.set(transactionId, receivedAtMs);
    }
    expect(seen.size).toBe(2800);
    expect(seen.get(idAt(AT_MS, 7))).toBe(AT_MS + 7);
  });

  test('finds nothing at a key of another type', async () => {
    await redis().set(stream.transactions, 'not a stream');
    await redis().zadd(stream.retries, 1, encodeEntry(payload(1)));
    const count = async () => {
      let waiting = 0;
      for await (const page of readWaiting(redis(), stream)) waiting += page.length;
      return waiting;
    };
    expect(await count()).toBe(1);
    await redis().set(stream.retries, 'not a set');
    expect(await count()).toBe(0);
  });
});
