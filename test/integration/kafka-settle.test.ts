/**
 * Goal: a stream that takes no events, or a topic that is denied, keeps entries of its own corridor alone from their end, and sends
 * none of their attempts; what a worker cannot read goes on in streams; counts of partitions that workers gave up are gone, so that
 * rebalances fill no memory. Method: real Redis.
 */
import { expect, test } from 'vitest';
import { createCountTries } from '../../src/core/stream/kafka/claims.ts';
import { settlingOnKafka } from '../../src/core/stream/kafka/settle.ts';
import { moveToStreams } from '../../src/core/stream/kafka/unread.ts';
import { marketKeys, streamKeys } from '../../src/core/stream/keys.ts';
import { createStreamRig } from '../support/stream-rig.ts';

const { redis } = createStreamRig();

const settlementOf = (corridor: string) => ({
  ...{ stream: streamKeys('market_0', corridor, 0), consumer: 'c', replaced: [], replies: [] },
  ended: [
    {
      ...{ entryId: '5', transactions: 1, scoredAtMs: 0, needsOwner: false },
      ...{ scores: [{ count: 1, rows: '["id"]' }], deadLetters: [] },
      retries: [{ waitMs: 1, next: { transactions: 1, head: '', packed: Buffer.from('x') } }],
    },
  ],
});

test('a stream that takes no events keeps the entries of its corridor open, and no others', async () => {
  const done: string[] = [];
  const attempts: string[] = [];
  const settle = settlingOnKafka({
    clients: {
      send: async (records) => {
        const later = records.filter(({ topic }) => topic.endsWith('.retries'));
        attempts.push(...later.map(({ topic }) => topic.split('.')[1] ?? ''));
        return new Map();
      },
    },
    ...{ redis: redis(), market: 'market_0', logOf: () => 'both', nowMs: Date.now },
    hasEventRoom: () => true,
    done: (entries) => done.push(...entries.map(({ stream }) => stream.corridor)),
  });
  const settlements = ['US-EG', 'US-MX'].map(settlementOf);
  const [broken, whole] = settlements.map(({ stream }) => stream.scored);
  await redis().set(String(broken), 'no stream');
  const { failures } = await settle(settlements);
  expect(failures.map((one) => one?.code)).toEqual(['REDIS_WRONGTYPE', undefined]);
  expect(done).toEqual(['US-MX']);
  // As long as the entry cannot be settled it is delivered again, with the same attempt to be sent.
  await settle(settlements.slice(0, 1));
  expect(attempts).toEqual(['US-MX']);
  expect(await redis().xlen(String(whole))).toBe(1);
  await redis().del(String(broken));
  expect((await settle(settlements.slice(0, 1))).failures).toEqual([null]);
  expect(done).toEqual(['US-MX', 'US-EG']);
  expect(attempts).toEqual(['US-MX', 'US-EG']);
});

test('a corridor of which Kafka denies a topic keeps its entries open, and no other one does', async () => {
  for (const topic of ['transaction-scored', 'retries']) {
    const done: string[] = [];
    const settle = settlingOnKafka({
      clients: {
        send: async (records) =>
          new Map(
            records.flatMap((one) =>
              one.topic === `market_0.US-EG.${topic}` ? [[one.topic, null]] : [],
            ),
          ),
      },
      ...{ redis: redis(), market: 'market_0', logOf: () => 'kafka', nowMs: Date.now },
      hasEventRoom: () => true,
      done: (entries) => done.push(...entries.map(({ stream }) => stream.corridor)),
    });
    const { failures } = await settle(['US-EG', 'US-MX'].map(settlementOf));
    expect(failures.map((one) => one?.code)).toEqual(['KAFKA_DENIED', undefined]);
    expect(done).toEqual(['US-MX']);
  }
});

test('entries of another version go on in the streams that have room for them', async () => {
  const entryOf = (corridor: string, transactions: number, packed: string) => ({
    ...{ id: '5', stream: streamKeys('market_0', corridor, 3), consumer: 'c', version: '77' },
    ...{ transactions, head: 'row=x', packed: Buffer.from(packed) },
    ...{ deleted: false, deliveries: 1, carried: 0 },
  });
  const [whole, broken] = ['US-EG', 'US-MX'].map((one) => streamKeys('market_0', one, 3));
  await redis().set(String(broken?.transactions), 'no stream');
  const entries = [entryOf('US-EG', 4, 'a'), entryOf('US-EG', 2, 'b'), entryOf('US-MX', 1, 'c')];
  await moveToStreams(redis(), 'market_0', 5, entries);
  const found = await redis().xrange(String(whole?.transactions), '-', '+');
  const fields = ['v', '77', 'n', '4', 'h', 'row=x', 'd', 'a'];
  expect(found.map((one) => one[1])).toEqual([fields]);
  expect(await redis().hget(String(whole?.counts), 'transactions')).toBe('4');
});

test('a partition that is given up is counted no more, and one whose worker died is', async () => {
  const countTries = createCountTries(redis(), 'market_0');
  expect(await countTries(['t/0@5', 't/1@7'], 1)).toEqual([1, 1]);
  expect(await countTries(['t/0@5'], 1)).toEqual([2]);
  for (let offset = 10; offset < 20; offset += 1) {
    await countTries([`t/1@${offset}`], 1);
    await countTries([`t/1@${offset}`], -1);
  }
  await countTries(['t/1@7', 't/0@5'], -1);
  expect(await redis().hgetall(marketKeys('market_0').kafkaTries)).toEqual({ 't/0@5': '1' });
});
