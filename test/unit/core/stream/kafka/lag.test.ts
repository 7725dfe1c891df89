/** Goal: what waits in Kafka is counted in transactions, and once where both logs have it. Method: pure functions. */
import { expect, test } from 'vitest';
import type { CorridorLog } from '../../../../../src/core/domain/corridor.ts';
import {
  countTransactions,
  joinLags,
  type KafkaLag,
} from '../../../../../src/core/stream/kafka/lag.ts';
import { topicsOf, topicsOfMarket } from '../../../../../src/core/stream/kafka/topics.ts';
import { streamKeys } from '../../../../../src/core/stream/keys.ts';

const head = (counts: readonly number[], first = 10n) =>
  counts.map((count, at) => ({
    offset: first + BigInt(at),
    headers: new Map([['n', String(count)]]),
  }));

test('what was looked at counts exactly, and the rest by the mean', () => {
  expect(countTransactions(head([5, 7, 9]), 10n, 13n)).toBe(21);
  expect(countTransactions(head([5, 7, 9]), 12n, 13n)).toBe(9);
  expect(countTransactions(head([5, 7, 9]), 10n, 23n)).toBe(21 + 10 * 7);
  expect(countTransactions(head([5, 7, 9]), 20n, 23n)).toBe(3 * 7);
  expect(countTransactions(head([5, 7, 9]), 13n, 13n)).toBe(0);
  expect(countTransactions([], 10n, 14n)).toBe(4);
});

const lagOf = (shard: number, lag: number, more: Partial<KafkaLag> = {}): KafkaLag => ({
  stream: streamKeys('market_0', 'US-EG', shard),
  ...{ lag, pending: 0, retriesWaiting: 0, oldestAgeMs: 0, isTrimmed: false, ...more },
});

test.each<[CorridorLog, number, number]>([
  ['both', 120, 30],
  ['kafka', 220, 50],
  ['streams', 220, 50],
])('with the log %s %d transactions wait and %d are at workers', (log, lag, pending) => {
  const [joined, ...others] = joinLags(
    [lagOf(0, 100, { pending: 20, oldestAgeMs: 5000 })],
    [lagOf(0, 120, { pending: 30, oldestAgeMs: 7000, retriesWaiting: 2 }), lagOf(1, 0)],
    () => log,
  );
  expect(joined).toMatchObject({
    lag,
    pending,
    oldestAgeMs: 7000,
    retriesWaiting: 2,
  });
  expect(others).toEqual([]);
});

test('a partition that has what no stream has is listed', () => {
  const joined = joinLags([lagOf(0, 0)], [lagOf(0, 0), lagOf(9, 3)], () => 'kafka');
  expect(joined.map(({ stream, lag }) => [stream.shard, lag])).toEqual([
    [0, 0],
    [9, 3],
  ]);
});

test('the topics of a market are those of no other one, and of no other system', () => {
  const { transactions, scored } = topicsOf('market_1', 'US-EG');
  const others = [
    topicsOf('market_10', 'US-EG').retries,
    'market_1.US-EG.copies',
    'market_1.transactions',
    'x.market_1.US-EG.transactions',
    '__consumer_offsets',
  ];
  expect(topicsOfMarket('market_1', [transactions, ...others, scored])).toEqual([
    transactions,
    scored,
  ]);
});
