/** Counts of a batch whose scores are stored: metrics, and the times of corridors with rollouts. */
import { VERDICTS, type Verdict } from '../domain/score-record.ts';
import type { EntryTransaction } from './decided.ts';
import type { WorkerOptions } from './worker.ts';

type Counting = Pick<WorkerOptions, 'metrics' | 'rolloutCounts'>;

type Stored = {
  readonly scoredAtMs: number;
  readonly scored: readonly EntryTransaction[];
  /** A verdict each. */
  readonly verdicts: readonly Verdict[];
};

/** Scores stored for the first time by this batch, and how long they took from acceptance. */
export function countScored(
  worker: Counting,
  { scored, verdicts: given, scoredAtMs }: Stored,
  isNew: (transaction: EntryTransaction) => boolean,
): void {
  const { metrics } = worker;
  const corridors = new Map<string, ReturnType<typeof countersOf>>();
  let fresh = 0;
  for (const [index, score] of scored.entries()) {
    if (!isNew(score)) continue;
    fresh += 1;
    const { corridor, receivedAtMs } = score.transaction;
    const counters = corridors.get(corridor) ?? countersOf(worker, corridor);
    corridors.set(corridor, counters);
    counters.verdicts[given[index] as Verdict] += 1;
    const tookMs = Math.max(0, scoredAtMs - receivedAtMs);
    counters.latency.observe(tookMs / 1000);
    counters.observe?.(tookMs);
  }
  for (const [corridor, { verdicts }] of corridors) {
    for (const verdict of VERDICTS) {
      if (verdicts[verdict] > 0) metrics.scored.inc({ corridor, verdict }, verdicts[verdict]);
    }
  }
  metrics.redelivered.inc(scored.length - fresh);
}

function countersOf({ metrics, rolloutCounts }: Counting, corridor: string) {
  const verdicts = { approve: 0, review: 0, decline: 0 };
  const observe = rolloutCounts.ofCorridor(corridor);
  return { latency: metrics.scoreLatency.labels(corridor), observe, verdicts };
}
