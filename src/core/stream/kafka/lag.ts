/**
 * How far workers are behind in Kafka, by partition: what is above the offset that the group has and below the end. What a worker
 * has read and not ended is pending, as in a stream.
 */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import type { CorridorLog } from '../../domain/corridor.ts';
import type { StreamLag } from '../status/lag.ts';
import { nameOfPartition } from './claim.ts';
import { readDelivered } from './claims.ts';
import { readOffsets } from './clients.ts';
import type { FetchedRecord, Fetcher, Position } from './fetch-records.ts';
import { ALL_PARTITIONS, partitionKeys, topicsOf, transactionsOf } from './topics.ts';

/** Time for a look at the first waiting entries; an age that is unknown by then is 0. */
const LOOK_MS_MAX = 2000;

/** Lag of a partition; transactions that were not looked at count as those before them in the mean. */
export type KafkaLag = StreamLag & {
  /** Whether retention has removed entries that were not done. */
  readonly isTrimmed: boolean;
};

/**
 * Measures all partitions of these corridors. Throws a Failure.
 * @param fetcher of the market's group
 */
export async function measureKafka(
  fetcher: Fetcher,
  redis: RedisClient,
  market: string,
  corridors: readonly string[],
  nowMs: () => number = Date.now,
): Promise<KafkaLag[]> {
  if (corridors.length === 0) return [];
  const topics = corridors.map((corridor) => ({ corridor, ...topicsOf(market, corridor) }));
  const all = topics.flatMap(({ transactions, retries }) => [transactions, retries]);
  const offsetsOf = await readOffsets(
    fetcher.consumer,
    all.map((topic) => ({ topic, partitions: ALL_PARTITIONS })),
  );
  const waiting = topics.flatMap(({ transactions: topic }) =>
    ALL_PARTITIONS.flatMap((partition) => {
      const { begin, end } = offsetsOf(topic, partition);
      return begin < end ? { topic, partition, position: begin } : [];
    }),
  );
  const heads = await readHeads(fetcher, waiting);
  // Read last, so that what was delivered meanwhile does not count as waiting.
  const delivered = await readDelivered(redis, market);
  const atMs = nowMs();
  return topics.flatMap(({ corridor, transactions: topic, retries }) => {
    return ALL_PARTITIONS.map((partition): KafkaLag => {
      const { begin: done, end, isTrimmed } = offsetsOf(topic, partition);
      const again = offsetsOf(retries, partition);
      const name = nameOfPartition(topic, partition);
      const head = heads.get(name) ?? [];
      const note = delivered.get(name);
      const oldestAgeMs = Math.max(0, atMs - (head[0]?.atMs ?? atMs));
      const isNoted = note !== undefined && note.position > done && note.position <= end;
      return {
        stream: partitionKeys(market, 'kafka:', { corridor, topic, partition }),
        lag: countTransactions(head, isNoted ? note.position : done, end),
        pending: isNoted ? note.transactions : 0,
        oldestAgeMs,
        // A retry that is done counts until every retry before it is done.
        retriesWaiting: span(again.begin, again.end),
        isTrimmed,
      };
    });
  });
}

const span = (from: bigint, to: bigint): number => Math.max(0, Number(to - from));

/**
 * Transactions between two offsets, of which some records were looked at.
 * @param head the first records that wait
 */
export function countTransactions(
  head: readonly Pick<FetchedRecord, 'offset' | 'headers'>[],
  from: bigint,
  end: bigint,
): number {
  const counts = head.map(({ headers }) => transactionsOf(headers));
  const sum = counts.reduce((total, count) => total + count, 0);
  const seen = head.reduce(
    (total, { offset }, at) => total + (offset >= from && offset < end ? (counts[at] ?? 0) : 0),
    0,
  );
  const last = head.at(-1)?.offset ?? from - 1n;
  const unseen = span(last + 1n > from ? last + 1n : from, end);
  return seen + Math.round(unseen * (head.length === 0 ? 1 : sum / head.length));
}

/** A corridor with both logs has each transaction in both, and what waits longer counts; otherwise each log has its own. */
export function joinLags(
  streams: readonly StreamLag[],
  kafka: readonly KafkaLag[],
  logOf: (corridor: string) => CorridorLog,
): readonly StreamLag[] {
  if (kafka.length === 0) return streams;
  const keyOf = ({ stream: { corridor, shard } }: StreamLag) => `${corridor}:${shard}`;
  const joined = new Map(streams.map((stream) => [keyOf(stream), stream]));
  for (const partitionLag of kafka) {
    const { lag, pending, retriesWaiting } = partitionLag;
    const other = joined.get(keyOf(partitionLag));
    if (other === undefined) {
      // Partitions beyond the corridor's shards, which hold nothing but what is left of a topic's past.
      if (lag + pending + retriesWaiting > 0) joined.set(keyOf(partitionLag), partitionLag);
      continue;
    }
    const isSame = logOf(partitionLag.stream.corridor) === 'both';
    joined.set(keyOf(partitionLag), {
      ...other,
      lag: isSame ? Math.max(other.lag, lag) : other.lag + lag,
      pending: isSame ? Math.max(other.pending, pending) : other.pending + pending,
      retriesWaiting: other.retriesWaiting + retriesWaiting,
      oldestAgeMs: Math.max(other.oldestAgeMs, partitionLag.oldestAgeMs),
    });
  }
  return [...joined.values()];
}

/** The first records from each position on, as many as one answer brings; none where no answer came in time. */
async function readHeads(
  fetcher: Fetcher,
  positions: readonly Position[],
): Promise<ReadonlyMap<string, readonly FetchedRecord[]>> {
  const heads = new Map<string, readonly FetchedRecord[]>();
  const lateMs = performance.now() + LOOK_MS_MAX;
  let left = positions;
  while (left.length > 0 && performance.now() < lateMs) {
    const fetched = await fetcher.fetch(left);
    left = left.filter(({ topic, partition, position }) => {
      const answer = fetched.find(
        (partitionLag) => partitionLag.topic === topic && partitionLag.partition === partition,
      );
      // An answer from elsewhere was asked for by the look before.
      if (answer?.from !== position || answer.records.length === 0) return true;
      heads.set(nameOfPartition(topic, partition), answer.records);
      return false;
    });
  }
  return heads;
}
