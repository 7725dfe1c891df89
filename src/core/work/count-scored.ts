/** Metrics of a batch whose scores are stored. */
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { VERDICTS, type Verdict } from '../domain/score-record.ts';
import type { EntryTransaction } from './decided.ts';

type Stored = {
  readonly scoredAtMs: number;
  readonly scored: readonly EntryTransaction[];
  /** A verdict each. */
  readonly verdicts: readonly Verdict[];
};

/** Scores stored for the first time by this batch, and how long they took from acceptance. */
export function countScored(
  metrics: Metrics,
  { scored, verdicts: given, scoredAtMs }: Stored,
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
