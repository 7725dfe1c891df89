/** Shows what waits in streams as metrics: of each worker for its streams, of an API for those of the market. */
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { StreamLag } from './lag.ts';

const NAMES = [
  'lagTransactions',
  'lagSeconds',
  'pendingTransactions',
  'handedOverEntries',
  'retriesDue',
] as const;
export type StreamMetrics = Pick<Metrics, (typeof NAMES)[number]>;

export function reportStreams(metrics: StreamMetrics, streams: readonly StreamLag[]): void {
  // Figures of a former shard would stay, as an empty one is listed no more.
  for (const name of NAMES) metrics[name].reset();
  for (const { stream, lag, pending, handedOver, oldestAgeMs, retriesWaiting } of streams) {
    const labels = { corridor: stream.corridor, shard: String(stream.shard) };
    metrics.lagTransactions.set(labels, lag);
    metrics.pendingTransactions.set(labels, pending);
    metrics.handedOverEntries.set(labels, handedOver);
    metrics.lagSeconds.set(labels, oldestAgeMs / 1000);
    metrics.retriesDue.set(labels, retriesWaiting);
  }
}
