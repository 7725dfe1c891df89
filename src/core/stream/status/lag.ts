/** Content of streams and how far the workers are behind, in transactions: for metrics, status and autoscaling. */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { ENTRY_VERSIONS } from '../entries/entry.ts';
import { GROUP, type StreamKeys } from '../keys.ts';
import { loadScript, runOnStreams } from '../scripts.ts';

export type StreamLag = {
  readonly stream: StreamKeys;
  /** Transactions not yet delivered to a worker that reads them. */
  readonly lag: number;
  /** Delivered to a worker that reads them, and not yet acknowledged. */
  readonly pending: number;
  /** Entries that wait for a worker that reads their version. */
  readonly handedOver: number;
  /**
   * Transactions, counted in `lag`, of entries that only another release reads. The figure is an estimate where there are more than
   * 1,000 such entries and some have several transactions.
   */
  readonly unread: number;
  /** Age of the oldest entry not yet acknowledged; 0 when there is none. */
  readonly oldestAgeMs: number;
  /** The same of the entries that this release reads. */
  readonly readableAgeMs: number;
  /** Transactions that wait for their next attempt, due or not. */
  readonly retriesWaiting: number;
};

const script = loadScript('measure-3');

/**
 * Measures all streams of a node in one round trip; a stream without a group has everything ahead. Throws a Failure.
 * @param versions of entries that the release reads
 */
export async function measureStreams(
  redis: RedisClient,
  streams: readonly StreamKeys[],
  versions: readonly string[] = ENTRY_VERSIONS,
): Promise<StreamLag[]> {
  const calls = streams.map(({ transactions, counts, retries }) => ({
    keys: [transactions, counts, retries],
    args: [GROUP, ...versions],
  }));
  const replies = await runOnStreams(redis, script, calls);
  return streams.map((stream, index) => toLag(stream, replies[index]));
}

function toLag(stream: StreamKeys, reply: unknown): StreamLag {
  const figures = reply instanceof Failure ? [0, 0, 0, 0, 0, 0, 0] : reply;
  if (!Array.isArray(figures)) throw unexpected('measure');
  const [total, pending, oldestAgeMs, retriesWaiting, handedOver, unread, readable] = figures;
  return {
    stream,
    lag: Number(total) - Number(pending),
    pending: Number(pending),
    handedOver: Number(handedOver),
    unread: Number(unread),
    oldestAgeMs: Number(oldestAgeMs),
    readableAgeMs: Number(readable),
    retriesWaiting: Number(retriesWaiting),
  };
}
