/**
 * Goal: each script does its whole job or nothing of it. Method: real Redis, one for the file, emptied
 * before each test.
 */
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { COUNT_MAX, ENTRY_VERSION, packAgain } from '../../src/core/stream/entries/entry.ts';
import { ensureGroups } from '../../src/core/stream/group/consumer-group.ts';
import { readGroup } from '../../src/core/stream/group/read-group.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { loadForStreams, runForStreams } from '../../src/core/stream/scripts.ts';
import { packRetry, promoteRetries } from '../../src/core/stream/settle/retries.ts';
import { createHeadReader, type HeadPage } from '../../src/core/stream/status/heads.ts';
import { measureStreams } from '../../src/core/stream/status/lag.ts';
import { openCommands, untilReady } from '../../src/kit/redis/connection.ts';
import { idAt } from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { AT_MS, createStreamRig, payload, payloads, stream } from '../support/stream-rig.ts';
import { waitUntil } from '../support/wait-until.ts';

const { redis, url, producer, appendSingly, deliver } = createStreamRig();
const held = () => redis().hget(stream.counts, 'transactions').then(Number);

describe('producer', () => {
  test('appends to the stream of corridor and shard, in order, as few entries as it takes', async () => {
    const all = [...payloads(300), payload(300, { corridor: 'DE-TR' })];
    expect(await producer().append(all)).toEqual([]);
    expect(await readEntries(redis(), stream.transactions)).toEqual(payloads(300));
    const entries = await redis().xrange(stream.transactions, '-', '+');
    expect(entries.map(([, fields]) => fields.slice(0, 6))).toEqual(
      new Array(3).fill(['v', ENTRY_VERSION, 'n', '100', 'h', 'attempt=1 origin=ingest']),
    );
    expect(await held()).toBe(300);
    expect(await redis().xlen(streamKeys('m', 'DE-TR', 0).transactions)).toBe(1);
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
    // The rig's client leaves a server that takes no writes.
    const operator = new Redis(url());
    onTestFinished(() => operator.disconnect());
    await operator.replicaof('127.0.0.1', 1);
    await expect(producer().append(payloads(1))).rejects.toMatchObject({ code: 'REDIS_READONLY' });
    await operator.replicaof('NO', 'ONE');
    const answers = () =>
      redis()
        .ping()
        .catch(() => undefined);
    await waitUntil(answers, 5000, 'a connection to the primary');
  });
});

test('a stream that is nearly full takes the first ones that fit, while others take theirs', async () => {
  const other = payload(5, { corridor: 'DE-TR' });
  expect(await producer(3).append([...payloads(5), other])).toEqual(payloads(5).slice(3));
  expect(await producer(3).append([payload(3)])).toEqual([payload(3)]);
  await redis().del(stream.transactions);
  // An entry fits, and so do the first transactions of the next entry.
  const left = await producer(COUNT_MAX + 50).append(payloads(4 * COUNT_MAX));
  expect(left).toEqual(payloads(4 * COUNT_MAX).slice(COUNT_MAX + 50));
});

describe('a script for many streams', () => {
  const promote = loadForStreams('promote-retries-3');
  const streams = Array.from({ length: 205 }, (_, nth) => streamKeys('m', `X${nth}`, 0));
  const all = streams.map(({ retries, transactions, counts }) => [retries, transactions, counts]);
  const wait = (nth: number) =>
    redis().zadd(streams[nth]?.retries ?? '', 1, packRetry(packAgain([payload(nth)])));

  test('answers for each in their order, and fails for the stream at fault alone', async () => {
    for (const nth of [3, 99, 100, 204]) await wait(nth);
    await redis().set(streams[150]?.retries ?? '', 'no sorted set');
    const replies = await runForStreams(redis(), promote, all, [10]);
    expect(replies[150]).toMatchObject({ code: 'REDIS_WRONGTYPE' });
    const moved = replies.flatMap((reply, nth) => (reply === 1 ? [nth] : []));
    expect(moved).toEqual([3, 99, 100, 204]);
    expect(replies.filter((reply) => reply === 0)).toHaveLength(200);
    expect(await readEntries(redis(), streams[204]?.transactions ?? '')).toEqual([payload(204)]);
  });

  test('moves all due retries of a stream that has more than its even part', async () => {
    const due = Array.from({ length: 12 }, (_, nth) => packRetry(packAgain([payload(nth)])));
    for (const one of due) await redis().zadd(streams[3]?.retries ?? '', 1, one);
    await wait(204);
    expect(await promoteRetries(redis(), streams)).toBe(due.length + 1);
  });

  test('fails as a whole where the server takes no writes, and the client leaves the server', async () => {
    await wait(3);
    const client = openCommands(url(), 2000);
    await untilReady(client, 5000);
    onTestFinished(() => client.disconnect());
    await redis().replicaof('127.0.0.1', 1);
    const left = once(client, 'close', { signal: AbortSignal.timeout(5000) });
    const failed = runForStreams(client, promote, all, [10]);
    await expect(failed).rejects.toMatchObject({ code: 'REDIS_READONLY' });
    await left;
    await redis().replicaof('NO', 'ONE');
  });
});

describe('a read', () => {
  const read = async (shares: readonly number[], transactionsMax: number) => {
    const streams = [stream, streamKeys('m', 'DE-TR', 0), streamKeys('m', 'US-MX', 0)];
    const names = streams.map(({ transactions }) => transactions);
    await ensureGroups(redis(), names.slice(0, 2));
    return await readGroup(redis(), {
      ...{ consumer: 'c', streams, shares, transactionsMax },
    });
  };
  const counts = ({ deliveries }: Awaited<ReturnType<typeof read>>) =>
    deliveries.map(({ entries }) => entries.reduce((sum, one) => sum + one.transactions, 0));

  test('brings whole entries until the transactions suffice, of each stream and in all', async () => {
    const others = Array.from({ length: 40 }, (_, n) => payload(1000 + n, { corridor: 'DE-TR' }));
    await producer().append(payloads(300));
    await appendSingly(others);
    expect(counts(await read([100, 10, 1], 500))).toEqual([100, 10]);
    expect(counts(await read([101, 10, 1], 105))).toEqual([200]);
    const last = await read([100, 100, 1], 500);
    expect(counts(last)).toEqual([30]);
    expect(last.deliveries).toMatchObject([{ total: 40 }]);
  });

  test('says of one stream alone what is wrong with it', async () => {
    await producer().append(payloads(3));
    const { deliveries, failed } = await read([10, 10, 10], 30);
    expect(deliveries).toMatchObject([{ stream, total: 3 }]);
    expect([...failed].map(([keys, failure]) => [keys.corridor, failure.code])).toEqual([
      ['US-MX', 'REDIS_NOGROUP'],
    ]);
  });
});

test('measureStreams tells lag, pending and age, also where the server does not know the lag', async () => {
  await appendSingly(payloads(10));
  await deliver('c', 4);
  const [, , , , , undelivered] = await redis().xrange(stream.transactions, '-', '+');
  await redis().xdel(stream.transactions, undelivered?.[0] ?? '');
  await redis().hincrby(stream.counts, 'transactions', -1);
  await redis().zadd(stream.retries, 1, 'a');
  const [measured, empty] = await measureStreams(redis(), [stream, streamKeys('m', 'DE-TR', 0)]);
  expect(measured).toMatchObject({ lag: 5, pending: 4, retriesWaiting: 1 });
  expect(measured?.oldestAgeMs).toBeGreaterThanOrEqual(0);
  expect(empty).toMatchObject({ lag: 0, pending: 0, oldestAgeMs: 0, retriesWaiting: 0 });
  await producer().append(payloads(300));
  expect(await measureStreams(redis(), [stream])).toMatchObject([{ lag: 305, pending: 4 }]);
  await deliver('c', 105);
  expect(await measureStreams(redis(), [stream])).toMatchObject([{ lag: 200, pending: 109 }]);
});

describe('the heads', () => {
  const heads = () => createHeadReader(redis());
  const rowAt = (n: number) => idAt(AT_MS, n);
  const rowsOf = async (read: (from: string | null) => Promise<HeadPage>) => {
    const rows: string[] = [];
    let from: string | null = null;
    do {
      const page = await read(from);
      rows.push(...page.rowIds);
      from = page.next;
    } while (from !== null);
    return rows;
  };

  test('of all entries and retries are read page by page, also of what cannot be read', async () => {
    const many = Array.from({ length: 250 }, (_, n) => ({ ...payload(n), rowId: rowAt(n) }));
    await appendSingly(many);
    const head = `attempt=9 origin=? row=${rowAt(999)}`;
    await redis().xadd(stream.transactions, '*', 'v', '77', 'h', head, 'd', 'rubbish');
    await redis().xadd(stream.transactions, '*', 'h', '', 'd', 'rubbish');
    const entries = await rowsOf((from) => heads().entries(stream, from ?? '-'));
    expect(entries).toEqual([...many.map(({ rowId }) => rowId), rowAt(999)]);
    for (const one of many.slice(0, 3)) {
      await redis().zadd(stream.retries, 1, packRetry(packAgain([one])));
    }
    await redis().zadd(stream.retries, '+inf', 'rubbish');
    const retries = await rowsOf((from) => heads().retries(stream, from));
    expect(retries.sort()).toEqual([0, 1, 2].map(rowAt).sort());
  });

  test('of a key of another type are none', async () => {
    await redis().set(stream.transactions, 'not a stream');
    await redis().set(stream.retries, 'not a set');
    await heads().dropUnread([stream]);
    await heads().adopt([stream]);
    const none = { rowIds: [], next: null, last: null };
    expect(await heads().entries(stream, '-')).toEqual(none);
    expect(await heads().retries(stream, null)).toEqual(none);
  });
});
