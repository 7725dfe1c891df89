/** Content of streams and how far the workers are behind, in transactions: for metrics, status and autoscaling. */

import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { GROUP, type StreamKeys, shardLabel } from '../keys.ts';
import { loadForStreams, runForStreams } from '../scripts.ts';

export type StreamLag = {
  readonly stream: StreamKeys;
  /** Transactions not yet delivered to a worker. */
  readonly lag: number;
  /** Delivered and not yet acknowledged. The figure is an estimate where there are more than 1,000 entries and some have several. */
  readonly pending: number;
  /** Age of the oldest entry not yet acknowledged; 0 when there is none. */
  readonly oldestAgeMs: number;
  /** Transactions that wait for their next attempt, due or not. */
  readonly retriesWaiting: number;
};

const script = loadForStreams('measure-3');

/** Measures all streams of a node in one round trip; a stream without a group has everything ahead. Throws a Failure. */
export async function measureStreams(
  redis: RedisClient,
  streams: readonly StreamKeys[],
): Promise<StreamLag[]> {
  const keys = streams.map(({ transactions, counts, retries }) => [transactions, counts, retries]);
  const replies = await runForStreams(redis, script, keys, [GROUP]);
  return streams.map((stream, index) => toLag(stream, replies[index]));
}

function toLag(stream: StreamKeys, reply: unknown): StreamLag {
  const figures = reply instanceof Failure ? [0, 0, 0, 0] : reply;
  if (!Array.isArray(figures)) throw unexpected('measure');
  const [total, pending, oldestAgeMs, retriesWaiting] = figures;
  return {
    stream,
    lag: Number(total) - Number(pending),
    pending: Number(pending),
    oldestAgeMs: Number(oldestAgeMs),
    retriesWaiting: Number(retriesWaiting),
  };
}

/** Shows what waits in streams as metrics: of each worker for its streams, of an API for those of the market. */
const NAMES = ['lagTransactions', 'lagSeconds', 'pendingTransactions', 'retriesDue'] as const;
export type StreamMetrics = Pick<Metrics, (typeof NAMES)[number]>;

export function reportStreams(metrics: StreamMetrics, streams: readonly StreamLag[]): void {
  // Figures of a former shard would stay, as an empty one is listed no more.
  for (const name of NAMES) metrics[name].reset();
  for (const { stream, ...figures } of streams) {
    const shard = shardLabel(stream.shard);
    const labels = { corridor: stream.corridor, shard };
    metrics.lagTransactions.set(labels, figures.lag);
    metrics.pendingTransactions.set(labels, figures.pending);
    metrics.lagSeconds.set(labels, figures.oldestAgeMs / 1000);
    metrics.retriesDue.set(labels, figures.retriesWaiting);
  }
}
