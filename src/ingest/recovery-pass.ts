/**
 * After a loss of Redis: one pass over everything received since the checkpoint, in spans of bounded
 * size, oldest first. What is neither final, nor waiting, nor owed by an open batch is appended. A
 * stream that is full takes nothing more in this pass; the next one goes on where it was left.
 */
import type { Transaction } from '../domain/transaction.ts';
import type * as Unscored from '../store/unscored.ts';
import { type AppendMissing, byReception, type StreamOf } from './append-missing.ts';
import {
  readOwed,
  readWaitingWindow,
  type WaitingDependencies,
  type WaitingWindow,
} from './waiting-window.ts';

export type RecoveryDependencies = WaitingDependencies & {
  readonly countReceived: (from: Date, to: Date, rowsMax: number) => Promise<number>;
  readonly listUnscoredReceived: (from: Date, to: Date) => Promise<Transaction[]>;
  readonly listReplayed: (
    since: Date,
    after: string,
    rowsMax: number,
  ) => Promise<Unscored.ReplayedPage>;
  readonly loadUnscored: (transactionIds: readonly string[]) => Promise<Transaction[]>;
  readonly streamOf: StreamOf;
};

/** Rows of one span: about 2 MB once loaded. */
const SPAN_ROWS_MAX = 5000;
const SPAN_MS_FIRST = 60_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

export type PassOptions = {
  /** Replays are looked for from here on: the checkpoint. */
  readonly replayedFromMs: number;
  /** Where the pass starts: the checkpoint, or where the one before left the first. */
  readonly fromMs: number;
  /** Where it ends: a little before now, so that requests in progress append for themselves. */
  readonly toMs: number;
  /** Streams whose rows it looks at; the others have everything. */
  readonly owing: 'all' | ReadonlySet<string>;
};

export type RecoveryPass = {
  readonly toMs: number;
  /** Works on one span. */
  readonly step: (append: AppendMissing) => Promise<'again' | 'finished'>;
  /** Full streams, and since when (reception, in ms) they lack something. */
  readonly left: () => ReadonlyMap<string, number>;
};

export function createRecoveryPass(
  dependencies: RecoveryDependencies,
  { replayedFromMs, fromMs, toMs, owing }: PassOptions,
): RecoveryPass {
  const { streamOf } = dependencies;
  const left = new Map<string, number>();
  let [atMs, spanMs] = [fromMs, SPAN_MS_FIRST];
  let replayedAfter: string | null = FIRST_ID;
  let window: WaitingWindow | undefined;
  const appendLost = async (lost: Transaction[], sinceMs: number, append: AppendMissing) => {
    const open = lost.filter((row) => !left.has(streamOf(row))).sort(byReception);
    for (const row of open.length === 0 ? [] : await append(open)) left.set(streamOf(row), sinceMs);
  };
  const isOwing = (row: Transaction) => owing === 'all' || owing.has(streamOf(row));
  const stepReceived = async (append: AppendMissing) => {
    if (window === undefined || window.toMs <= atMs) {
      window = await readWaitingWindow(dependencies, atMs, toMs);
    }
    const { has, toMs: windowToMs } = window;
    const endMs = Math.min(atMs + spanMs, windowToMs);
    const [from, to] = [new Date(atMs), new Date(endMs)];
    const rows = await dependencies.countReceived(from, to, SPAN_ROWS_MAX + 1);
    if (rows > SPAN_ROWS_MAX && endMs - atMs > 1) {
      spanMs = Math.max(1, Math.floor((endMs - atMs) / 2));
      return;
    }
    const unscored = rows === 0 ? [] : await dependencies.listUnscoredReceived(from, to);
    const lost = unscored.filter((row) => isOwing(row) && !has(row.transactionId));
    await appendLost(lost, atMs, append);
    atMs = endMs;
    // Empty years are crossed in a few steps.
    if (rows < SPAN_ROWS_MAX / 4) spanMs *= 2;
  };
  const stepReplayed = async (after: string, append: AppendMissing) => {
    const page = await dependencies.listReplayed(new Date(replayedFromMs), after, SPAN_ROWS_MAX);
    const unscored = await dependencies.loadUnscored(page.transactionIds);
    const lost = new Map(unscored.filter(isOwing).map((row) => [row.transactionId, row]));
    if (lost.size > 0) {
      for await (const waiting of readOwed(dependencies)) {
        for (const { transactionId } of waiting) lost.delete(transactionId);
      }
    }
    await appendLost([...lost.values()], fromMs, append);
    replayedAfter = page.next;
  };
  return {
    toMs,
    left: () => left,
    step: async (append) => {
      const isStuck = owing !== 'all' && [...owing].every((stream) => left.has(stream));
      if (isStuck) return 'finished';
      if (replayedAfter !== null) await stepReplayed(replayedAfter, append);
      else if (atMs < toMs) await stepReceived(append);
      return replayedAfter === null && atMs >= toMs ? 'finished' : 'again';
    },
  };
}
