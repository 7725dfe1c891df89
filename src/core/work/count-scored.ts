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
  const { metrics, rolloutCounts } = worker;
  const fresh = scored.flatMap((score, index) =>
    isNew(score) ? { ...score.transaction, verdict: given[index] as Verdict } : [],
  );
  for (const [corridor, group] of Map.groupBy(fresh, (score) => score.corridor)) {
    const latency = metrics.scoreLatency.labels(corridor);
    const observe = rolloutCounts.ofCorridor(corridor);
    for (const { receivedAtMs } of group) {
      const tookMs = Math.max(0, scoredAtMs - receivedAtMs);
      latency.observe(tookMs / 1000);
      observe?.(tookMs);
    }
    for (const verdict of VERDICTS) {
      const count = group.filter((score) => score.verdict === verdict).length;
      if (count > 0) metrics.scored.inc({ corridor, verdict }, count);
    }
  }
  metrics.redelivered.inc(scored.length - fresh.length);
}
