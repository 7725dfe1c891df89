/** Shows what waits in streams as metrics: of each worker for its streams, of an API for those of the market. */
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import { shardLabel } from '../keys.ts';
import type { StreamLag } from './lag.ts';

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
