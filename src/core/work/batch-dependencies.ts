/**
 * What a batch asks of other processes, and of chance and time. There are two of each: src/main/worker.ts gives the
 * stores' own functions, test/simulation/start-worker.ts gives stand-ins.
 */
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { Failpoint } from '../../kit/process/failpoint.ts';
import type { Judge } from '../score/judge.ts';
import type { insertDeadLetters } from '../store/dead-letters/dead-letters.ts';
import type { InsertScores } from '../store/scores/scores.ts';
import type { readStoredScores } from '../store/scores/stored-scores.ts';
import type { EntryReader, handEntriesOver } from '../stream/group/versions.ts';
import type { Settle } from '../stream/settle/settle.ts';
import type { FoldProfiles } from './profiles/fold-profiles.ts';
import type { Scorer } from './scorer.ts';

/** A function of a store that has its connection. */
type Bound<F> = F extends (connection: never, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

/** The part of Postgres that a worker needs. */
export type BatchStore = {
  readonly insertScores: InsertScores;
  readonly readStoredScores: Bound<typeof readStoredScores>;
  readonly insertDeadLetters: Bound<typeof insertDeadLetters>;
};

export type BatchDependencies = {
  readonly entries: EntryReader;
  readonly handOver: Bound<typeof handEntriesOver>;
  readonly foldProfiles: FoldProfiles;
  readonly scorer: Scorer;
  readonly store: BatchStore;
  readonly settle: Settle;
  /** Wait before the second attempt; doubles each time. */
  readonly retryBaseMs: number;
  /** Degradation level of the process, stored with each score. */
  readonly degradation: () => number;
  readonly judge: Judge;
  readonly random: () => number;
  readonly nowMs: () => number;
  readonly metrics: Metrics;
  readonly failpoint: Failpoint;
};
