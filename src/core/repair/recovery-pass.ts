/**
 * After a loss of Redis: one pass over everything received since the checkpoint, in spans of bounded size,
 * oldest first. Transactions that are neither final, nor waiting, nor owed by an open batch are appended. A
 * stream that becomes full gets no more in this pass; the next pass continues there.
 */
import type { Database } from '../../kit/database/pool.ts';
import { END_OF_BATCHES } from '../domain/open-batch.ts';
import type { Transaction } from '../domain/transaction.ts';
import {
  countReceived,
  listReplayed,
  listUnscoredReceived,
  loadUnscored,
} from '../store/transactions/unscored.ts';
import { type AppendMissing, byReception, type StreamOf } from './append-missing.ts';
import { readOwed, readWaitingWindow, type Waiting, type WaitingWindow } from './waiting-window.ts';

/** Rows of one span: about 2 MB once loaded. */
const SPAN_ROWS_MAX = 5000;
const SPAN_MS_FIRST = 60_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

type PassOptions = {
  /** Start of the search for replays: the checkpoint. */
  readonly replayedFromMs: number;
  /** Start of the pass: the checkpoint, or where the pass before left its first full stream. */
  readonly fromMs: number;
  /** End of the pass: a little before now, so that requests in progress append for themselves. */
  readonly toMs: number;
  /**
   * The last pass has no end behind `toMs`, but takes only rows of database transactions below this id. These
   * include rows of a clock that was set back, and no new rows. Null: a pass that ends at `toMs`.
   */
  readonly storedBefore: bigint | null;
  /** Streams whose rows it considers; the others have everything. */
  readonly owing: 'all' | ReadonlySet<string>;
};

export type RecoveryPass = {
  readonly toMs: number;
  readonly isLast: boolean;
  /** Works on one span. */
  readonly step: (append: AppendMissing) => Promise<'again' | 'finished'>;
  /** Full streams, each with the reception time (ms) from which it lacks rows. */
  readonly left: () => ReadonlyMap<string, number>;
};

export function createRecoveryPass(
  database: Database,
  waiting: Waiting,
  streamOf: StreamOf,
  { replayedFromMs, fromMs, toMs, storedBefore, owing }: PassOptions,
): RecoveryPass {
  const left = new Map<string, number>();
  const endMs = storedBefore === null ? toMs : END_OF_BATCHES.getTime();
  let [atMs, spanMs] = [fromMs, SPAN_MS_FIRST];
  let replayedAfter: string | null = FIRST_ID;
  let window: WaitingWindow | undefined;
  const appendLost = async (lost: Transaction[], sinceMs: number, append: AppendMissing) => {
    const open = lost.filter((row) => !left.has(streamOf(row))).sort(byReception);
    for (const row of open.length === 0 ? [] : await append(open)) left.set(streamOf(row), sinceMs);
  };
  const isOwing = (row: Transaction) => owing === 'all' || owing.has(streamOf(row));
  /** The longest span from here on that has no more rows than one step takes. */
  const readSpan = async () => {
    const isBehind = atMs >= toMs;
    const limitMs = isBehind ? endMs : toMs;
    const span = {
      from: new Date(atMs),
      to: new Date(Math.min(atMs + spanMs, limitMs)),
      storedBefore: isBehind ? storedBefore : null,
    };
    return { span, limitMs, rows: await countReceived(database, span, SPAN_ROWS_MAX + 1) };
  };
  const stepReceived = async (append: AppendMissing) => {
    const { span, limitMs, rows } = await readSpan();
    let nextMs = span.to.getTime();
    if (rows > SPAN_ROWS_MAX && nextMs - atMs > 1) {
      spanMs = Math.max(1, Math.floor((nextMs - atMs) / 2));
      return;
    }
    if (rows > 0) {
      if (window === undefined || window.toMs <= atMs) {
        window = await readWaitingWindow(waiting, atMs, limitMs);
      }
      const { has, toMs: windowToMs } = window;
      nextMs = Math.min(nextMs, windowToMs);
      const unscored = await listUnscoredReceived(database, { ...span, to: new Date(nextMs) });
      const lost = unscored.filter((row) => isOwing(row) && !has(row.transactionId));
      await appendLost(lost, atMs, append);
    }
    atMs = nextMs;
    // Empty years take a few steps, and rows behind the end, if there are any, take one.
    if (atMs === toMs) spanMs = endMs - toMs;
    else if (rows < SPAN_ROWS_MAX / 4) spanMs *= 2;
  };
  const stepReplayed = async (after: string, append: AppendMissing) => {
    const page = await listReplayed(database, new Date(replayedFromMs), after, SPAN_ROWS_MAX);
    const unscored = await loadUnscored(database, page.transactionIds);
    const lost = new Map(unscored.filter(isOwing).map((row) => [row.transactionId, row]));
    if (lost.size > 0) {
      for await (const owed of readOwed(waiting, END_OF_BATCHES)) {
        for (const { transactionId } of owed) lost.delete(transactionId);
      }
    }
    await appendLost([...lost.values()], fromMs, append);
    replayedAfter = page.next;
  };
  return {
    toMs,
    isLast: storedBefore !== null,
    left: () => left,
    step: async (append) => {
      const isStuck = owing !== 'all' && [...owing].every((stream) => left.has(stream));
      if (isStuck) return 'finished';
      if (replayedAfter !== null) await stepReplayed(replayedAfter, append);
      else if (atMs < endMs) await stepReceived(append);
      return replayedAfter === null && atMs >= endMs ? 'finished' : 'again';
    },
  };
}
