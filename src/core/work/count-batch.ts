/** Adds a batch to the metrics. */
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { VERDICTS, type Verdict } from '../domain/score-record.ts';
import type { Decided, EntryTransaction } from './decided.ts';

type Counted = {
  readonly scored: readonly EntryTransaction[];
  /** A verdict each. */
  readonly verdicts: readonly Verdict[];
  readonly scoredAtMs: number;
};

/** Scores stored for the first time by this batch, and how long they took from acceptance. */
export function countScored(
  metrics: Metrics,
  { scored, verdicts: given, scoredAtMs }: Counted,
  isNew: (one: EntryTransaction) => boolean,
): void {
  const corridors = new Map<string, ReturnType<typeof countersOf>>();
  let before = 0;
  for (const [index, one] of scored.entries()) {
    if (!isNew(one)) {
      before += 1;
      continue;
    }
    const { corridor, receivedAtMs } = one.transaction;
    let counters = corridors.get(corridor);
    if (counters === undefined) {
      counters = countersOf(metrics, corridor);
      corridors.set(corridor, counters);
    }
    counters.verdicts[given[index] as Verdict] += 1;
    counters.latency.observe(Math.max(0, scoredAtMs - receivedAtMs) / 1000);
  }
  for (const [corridor, { verdicts }] of corridors) {
    for (const verdict of VERDICTS) {
      if (verdicts[verdict] > 0) metrics.scored.inc({ corridor, verdict }, verdicts[verdict]);
    }
  }
  metrics.redelivered.inc(before);
}

function countersOf(metrics: Metrics, corridor: string) {
  const verdicts = { approve: 0, review: 0, decline: 0 };
  return { latency: metrics.scoreLatency.labels(corridor), verdicts };
}

/** Retries and dead letters, once they are settled. */
export function countOutcomes(metrics: Metrics, decided: readonly Decided[]): void {
  for (const { outcome, entry } of decided) {
    if (outcome.kind === 'retry') metrics.retries.inc({ code: outcome.failure.code });
    if (outcome.kind === 'dead-letter') {
      metrics.deadLetters.inc({ corridor: entry.stream.corridor, code: outcome.failure.code });
    }
  }
}
