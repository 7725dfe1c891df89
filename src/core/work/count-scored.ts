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
  isNew: (one: EntryTransaction) => boolean,
): void {
  const { metrics } = worker;
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
      counters = countersOf(worker, corridor);
      corridors.set(corridor, counters);
    }
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
  metrics.redelivered.inc(before);
}

function countersOf({ metrics, rolloutCounts }: Counting, corridor: string) {
  const verdicts = { approve: 0, review: 0, decline: 0 };
  const observe = rolloutCounts.ofCorridor(corridor);
  return { latency: metrics.scoreLatency.labels(corridor), observe, verdicts };
}
