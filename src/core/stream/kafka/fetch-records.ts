/**
 * Reads partitions from given offsets, each broker with one request at a time, so that a broker that is slow or gone delays no
 * partition of another one. It belongs to no group, and commits nothing.
 */
import type { Consumer } from '@platformatic/kafka';
import { Failure } from '../../../kit/words/failure.ts';
import { closeSoon, type KafkaClients, throwKafkaFailure, within } from './clients.ts';

export type FetchedRecord = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** When it was appended, by the clock of the producer. */
  readonly atMs: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly value: Buffer | null;
};

/** The answer about one partition. */
export type Fetched = {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly FetchedRecord[];
  /** Where this fetch began, and where the next one begins. */
  readonly from: bigint;
  readonly next: bigint;
};

export type Position = {
  readonly topic: string;
  readonly partition: number;
  readonly position: bigint;
};

/** A broker answers after this time where it has nothing new. */
const WAIT_MS = 500;
/** Bytes of a partition in one answer: larger ones hold more in memory, smaller ones cost more requests. */
const PARTITION_BYTES_MAX = 256 * 1024;
const RESPONSE_BYTES_MAX = 2 * 1024 * 1024;
const CONTROL_BIT = 0x20;

export type Fetcher = Awaited<ReturnType<typeof openFetcher>>;

/** @param group is named in requests for offsets */
export async function openFetcher(clients: KafkaClients, group: string) {
  const consumer = await clients.openConsumer(group);
  /** Requests under way, by broker. */
  const underWay = new Map<number, Promise<{ node: number; fetched: Fetched[] }>>();
  const start = async (positions: readonly Position[]) => {
    const topics = [...new Set(positions.map(({ topic }) => topic))];
    for (const topic of topics) consumer.topics.track(topic);
    const metadata = await within(consumer.metadata({ topics }));
    const idOf = (topic: string) => metadata.topics.get(topic)?.id ?? '';
    const leaderOf = ({ topic, partition }: Position) =>
      metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1;
    for (const [node, group] of Map.groupBy(positions, leaderOf)) {
      // A partition without a leader gets one, or is tried with the next metadata.
      if (node < 0 || underWay.has(node)) continue;
      const call = fetchOf(consumer, node, group, idOf).then((fetched) => ({ node, fetched }));
      call.catch(() => undefined);
      underWay.set(node, call);
    }
  };
  return {
    consumer,
    /**
     * Resolves with what the first broker brings, which may be nothing.
     * @throws Failure
     */
    async fetch(positions: readonly Position[]): Promise<Fetched[]> {
      try {
        await start(positions);
        if (underWay.size === 0) {
          throw new Failure('unavailable', 'KAFKA_NO_LEADER', 'no partition has a leader');
        }
        const first = await Promise.race(underWay.values());
        underWay.delete(first.node);
        return first.fetched;
      } catch (error) {
        underWay.clear();
        consumer.clearMetadata();
        throwKafkaFailure(error);
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await closeSoon(consumer);
    },
  };
}

async function fetchOf(
  consumer: Consumer,
  node: number,
  positions: readonly Position[],
  idOf: (topic: string) => string,
): Promise<Fetched[]> {
  const names = new Map(positions.map(({ topic }) => [idOf(topic), topic]));
  const byTopic = Map.groupBy(positions, ({ topic }) => idOf(topic));
  const topics = [...byTopic].map(([topicId, group]) => ({
    topicId,
    partitions: group.map(({ partition, position }) => ({
      partition,
      fetchOffset: position,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      partitionMaxBytes: PARTITION_BYTES_MAX,
    })),
  }));
  const sizes = { maxWaitTime: WAIT_MS, minBytes: 1, maxBytes: RESPONSE_BYTES_MAX };
  const { responses } = await within(consumer.fetch({ node, topics, ...sizes }));
  return responses.flatMap(({ topicId, partitions }) => {
    const topic = names.get(topicId);
    return topic === undefined
      ? []
      : partitions.flatMap((answer) => {
          const asked = positions.find(
            (position) => position.topic === topic && position.partition === answer.partitionIndex,
          );
          return asked === undefined ? [] : toFetched(asked, answer);
        });
  });
}

type Answer = Awaited<ReturnType<Consumer['fetch']>>['responses'][number]['partitions'][number];

function toFetched({ topic, partition, position }: Position, answer: Answer): Fetched {
  let next = position;
  const records: FetchedRecord[] = [];
  for (const batch of answer.records ?? []) {
    for (const { offsetDelta, timestampDelta, headers, value } of batch.records) {
      const offset = batch.firstOffset + BigInt(offsetDelta);
      // A broker answers with whole batches, which may begin before the position.
      if (offset < position || (batch.attributes & CONTROL_BIT) !== 0) continue;
      const texts = headers.map(([name, text]): [string, string] => [
        name?.toString('latin1') ?? '',
        text?.toString('latin1') ?? '',
      ]);
      const atMs = Number(batch.firstTimestamp + timestampDelta);
      records.push({ topic, partition, offset, atMs, headers: new Map(texts), value });
    }
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    if (last + 1n > next) next = last + 1n;
  }
  return { topic, partition, records, from: position, next };
}
