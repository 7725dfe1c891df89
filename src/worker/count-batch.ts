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
  for (const { item, score } of scored) {
    if (before.size > 0 && before.has(score.transactionId)) continue;
    let counters = corridors.get(score.corridor);
    if (counters === undefined) {
      counters = countersOf(metrics, score.corridor);
      corridors.set(score.corridor, counters);
    }
    counters.verdicts[score.decision.verdict] += 1;
    const { receivedAtMs } = item.payload.transaction;
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
  for (const { outcome, stream } of decided) {
    if (outcome.kind === 'retry') metrics.retries.inc({ code: outcome.failure.code });
    if (outcome.kind === 'dead-letter') {
      metrics.deadLetters.inc({ corridor: stream.corridor, code: outcome.failure.code });
    }
  }
}
