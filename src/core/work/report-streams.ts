/** Reports the streams of a market as metrics. */
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { StreamLag } from '../stream/status/lag.ts';

export function reportStreams(metrics: Metrics, lags: readonly StreamLag[]): void {
  for (const measured of lags) {
    const { corridor, shard } = measured.stream;
    const labels = { corridor, shard: String(shard) };
    metrics.lagTransactions.set(labels, measured.lag);
    metrics.pendingTransactions.set(labels, measured.pending);
    metrics.handedOverEntries.set(labels, measured.handedOver);
    metrics.lagSeconds.set(labels, measured.oldestAgeMs / 1000);
    metrics.retriesDue.set(labels, measured.retriesWaiting);
  }
}
