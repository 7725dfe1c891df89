/**
 * Counts scores by the workers' own metrics, as counting rows would disturb the Postgres that is measured. A scrape costs a worker
 * seven milliseconds, a twentieth of a waited decision where there are four a second.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../src/kit/words/failure.ts';
import { readMetrics } from './metrics.ts';
import type { RoleProcess } from './role-process.ts';

const SCORED = 'risk_transactions_scored_total';
/** Longer: a bench that stalls is noticed later. Shorter: scrapes are measured beside the load. */
const POLL_MS_MAX = 1000;
/** While nobody knows how many scores are expected, and where the load is half done before the next poll. */
const POLL_MS_MIN = 250;
/** Near the end the poll is the resolution of the clock. */
const LAST_POLL_MS = 50;
const NEAR_END_SHARE = 0.97;
const STALL_MS = 60_000;

export type ScoredProgress = {
  /** Epoch milliseconds at which all were seen stored. */
  readonly finishedMs: number;
  /** Scores since the beginning, as each poll saw them. */
  readonly samples: readonly { readonly atMs: number; readonly scored: number }[];
};

export type ScoredTarget = {
  /** Scores that the workers had stored when the run began. */
  readonly scoredBefore: number;
  /** How many scores are expected; undefined while that is not known. */
  readonly transactions: () => number | undefined;
  /** Called with the scores since the beginning at each poll. */
  readonly onPolled?: (scored: number) => void;
};

/** Waits until the workers together have stored so many more scores; a Failure when they stop moving. */
export async function untilScored(
  workers: readonly RoleProcess[],
  { scoredBefore, transactions, onPolled }: ScoredTarget,
  signal: AbortSignal,
): Promise<ScoredProgress> {
  const samples: { atMs: number; scored: number }[] = [];
  const startMs = Date.now();
  let movedMs = startMs;
  for (;;) {
    const scored = (await readScored(workers, signal)) - scoredBefore;
    const atMs = Date.now();
    if (scored > (samples.at(-1)?.scored ?? 0)) movedMs = atMs;
    samples.push({ atMs, scored });
    onPolled?.(scored);
    const wanted = transactions() ?? Number.POSITIVE_INFINITY;
    if (scored >= wanted) return { finishedMs: atMs, samples };
    if (atMs - movedMs > STALL_MS) {
      const logs = workers.map(({ name, logTail }) => `${name}:\n${logTail()}`);
      const detail = [`${scored} of ${wanted} scored, and no more come`, ...logs].join('\n');
      throw new Failure('permanent', 'STALLED', detail);
    }
    // The time to the last part of the load, at the rate so far; nothing is known of it at first.
    const leftMs = ((wanted * NEAR_END_SHARE - scored) / scored) * (atMs - startMs);
    const isKnown = scored > 0 && Number.isFinite(leftMs);
    const pollMs = isKnown ? Math.min(Math.max(leftMs / 2, POLL_MS_MIN), POLL_MS_MAX) : POLL_MS_MIN;
    const isLast = scored >= wanted * NEAR_END_SHARE;
    await delay(isLast ? LAST_POLL_MS : pollMs, undefined, { signal });
  }
}

/** Scores that these processes have stored in their lives. */
export async function readScored(
  workers: readonly RoleProcess[],
  signal: AbortSignal,
): Promise<number> {
  const counts = await Promise.all(
    workers.map(async (worker) => (await readMetrics(worker, signal)).sum(SCORED)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
