/**
 * After a loss of Redis: one pass over everything received since the checkpoint, in spans of bounded
 * size. What is neither final nor waiting is appended. A pass that appended nothing, and began after
 * the loss was noticed, proves that nothing is missing any more.
 */
import type { Transaction } from '../domain/transaction.ts';
import type * as Unscored from '../store/unscored.ts';
import type { AppendMissing } from './append-missing.ts';

export type RecoveryDependencies = {
  readonly countReceived: (from: Date, to: Date, rowsMax: number) => Promise<number>;
  readonly listUnscoredReceived: (from: Date, to: Date) => Promise<Transaction[]>;
  readonly listReplayed: (
    since: Date,
    after: string,
    rowsMax: number,
  ) => Promise<Unscored.ReplayedPage>;
  readonly loadUnscored: (transactionIds: readonly string[]) => Promise<Transaction[]>;
};

/** Rows of one span: about 2 MB once loaded. */
const SPAN_ROWS_MAX = 5000;
const SPAN_MS_FIRST = 60_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

export type PassOptions = {
  /** Where the pass starts: the checkpoint. */
  readonly fromMs: number;
  /** Where it ends: a little before now, so that requests in progress append for themselves. */
  readonly toMs: number;
  /** What waits in Redis, read after `toMs`. */
  readonly waiting: ReadonlySet<string>;
};

export type RecoveryPass = {
  readonly toMs: number;
  /** Works on one span; `full` when streams took nothing of it, which ends a run but not the pass. */
  readonly step: (append: AppendMissing) => Promise<'again' | 'full' | 'finished'>;
  /** How many were missing so far, appended or left by full streams. */
  readonly missing: () => number;
};

export function createRecoveryPass(
  dependencies: RecoveryDependencies,
  { fromMs, toMs, waiting }: PassOptions,
): RecoveryPass {
  let atMs = fromMs;
  let spanMs = SPAN_MS_FIRST;
  let replayedAfter: string | null = FIRST_ID;
  let found = 0;
  /** False when streams took nothing. What some of them left is for the next pass. */
  const appendLost = async (transactions: readonly Transaction[], append: AppendMissing) => {
    const lost = transactions.filter(({ transactionId }) => !waiting.has(transactionId));
    found += lost.length;
    return lost.length === 0 || (await append(lost)).size < lost.length;
  };
  const stepReceived = async (append: AppendMissing) => {
    const endMs = Math.min(atMs + spanMs, toMs);
    const [from, to] = [new Date(atMs), new Date(endMs)];
    const rows = await dependencies.countReceived(from, to, SPAN_ROWS_MAX + 1);
    if (rows > SPAN_ROWS_MAX && endMs - atMs > 1) {
      spanMs = Math.max(1, Math.floor((endMs - atMs) / 2));
      return true;
    }
    const unscored = rows === 0 ? [] : await dependencies.listUnscoredReceived(from, to);
    if (!(await appendLost(unscored, append))) return false;
    atMs = endMs;
    // Empty years are crossed in a few steps.
    if (rows < SPAN_ROWS_MAX / 4) spanMs *= 2;
    return true;
  };
  const stepReplayed = async (after: string, append: AppendMissing) => {
    const page = await dependencies.listReplayed(new Date(fromMs), after, SPAN_ROWS_MAX);
    const unscored = await dependencies.loadUnscored(page.transactionIds);
    if (!(await appendLost(unscored, append))) return false;
    replayedAfter = page.next;
    return true;
  };
  return {
    toMs,
    missing: () => found,
    step: async (append) => {
      if (replayedAfter !== null) {
        return (await stepReplayed(replayedAfter, append)) ? 'again' : 'full';
      }
      if (atMs >= toMs) return 'finished';
      return (await stepReceived(append)) ? 'again' : 'full';
    },
  };
}
