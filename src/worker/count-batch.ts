/** What a batch adds to the metrics. */
import { VERDICTS } from '../domain/score-record.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Decided, Scored } from './item.ts';

/**
 * Scores stored for the first time by this batch, and how long they took from acceptance.
 * @param before those of them that were stored before, by id
 */
export function countScored(
  metrics: Metrics,
  scored: readonly Scored[],
  before: ReadonlyMap<string, unknown>,
  scoredAtMs: number,
): void {
  const corridors = new Map<string, ReturnType<typeof countersOf>>();
  for (const { transaction, decision } of scored) {
    if (before.size > 0 && before.has(transaction.transactionId)) continue;
    const { corridor, receivedAtMs } = transaction;
    let counters = corridors.get(corridor);
    if (counters === undefined) {
      counters = countersOf(metrics, corridor);
      corridors.set(corridor, counters);
    }
    counters.verdicts[decision.verdict] += 1;
    counters.latency.observe(Math.max(0, scoredAtMs - receivedAtMs) / 1000);
  }
  for (const [corridor, { verdicts }] of corridors) {
    for (const verdict of VERDICTS) {
      if (verdicts[verdict] > 0) metrics.scored.inc({ corridor, verdict }, verdicts[verdict]);
    }
  }
  metrics.redelivered.inc(before.size);
}

function countersOf(metrics: Metrics, corridor: string) {
  const verdicts = { approve: 0, review: 0, decline: 0 };
  return { latency: metrics.scoreLatency.labels(corridor), verdicts };
}

/** Retries and dead letters, once they are settled. */
export function countOutcomes(metrics: Metrics, decided: readonly Decided[]): void {
  for (const { outcome, held } of decided) {
    if (outcome.kind === 'retry') metrics.retries.inc({ code: outcome.failure.code });
    if (outcome.kind === 'dead-letter') {
      metrics.deadLetters.inc({ corridor: held.stream.corridor, code: outcome.failure.code });
    }
  }
}
