/** What a batch adds to the metrics. */
import type { Metrics } from '../runtime/metrics.ts';
import type { StoredScore } from '../store/scores.ts';
import type { Decided, Item } from './item.ts';

/** Scores stored for the first time by this batch, and how long they took from acceptance. */
export function countScored(
  metrics: Metrics,
  items: readonly Item[],
  fresh: ReadonlyMap<string, StoredScore>,
  scoredAtMs: number,
): void {
  const counts = new Map<string, { corridor: string; verdict: string; count: number }>();
  const latencies = new Map<string, { observe: (seconds: number) => void }>();
  for (const { payload } of items) {
    const { transactionId, corridor, receivedAtMs } = payload.transaction;
    const record = fresh.get(transactionId);
    if (record === undefined) continue;
    const name = `${corridor} ${record.verdict}`;
    const counted = counts.get(name);
    if (counted === undefined) counts.set(name, { corridor, verdict: record.verdict, count: 1 });
    else counted.count += 1;
    let latency = latencies.get(corridor);
    if (latency === undefined) {
      latency = metrics.scoreLatency.labels(corridor);
      latencies.set(corridor, latency);
    }
    latency.observe(Math.max(0, scoredAtMs - receivedAtMs) / 1000);
  }
  for (const { corridor, verdict, count } of counts.values()) {
    metrics.scored.inc({ corridor, verdict }, count);
  }
  metrics.redelivered.inc(Math.max(0, items.length - fresh.size));
}

/** Retries and dead letters, once they are settled. */
export function countOutcomes(metrics: Metrics, decided: readonly Decided[]): void {
  for (const { outcome, stream } of decided) {
    if (outcome.kind === 'retry') metrics.retries.inc({ code: outcome.failure.code });
    if (outcome.kind === 'dead-letter') {
      metrics.deadLetters.inc({ corridor: stream.corridor, code: outcome.failure.code });
    }
  }
}
