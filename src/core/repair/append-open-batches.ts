/**
 * Appends what committed batches still owe the streams: the append failed, a stream was full, or the process
 * died in between. Each stream gets the oldest first; a full one is skipped and resumed where it was left, so
 * that it delays no other corridor.
 */
import type { Writes } from '../../kit/duties/leadership.ts';
import { type BatchPosition, FIRST_BATCH, type OpenBatch } from '../domain/open-batch.ts';
import type { Transaction } from '../domain/transaction.ts';
import {
  deleteIngestBatches,
  listOpenBatches,
  narrowIngestBatch,
} from '../store/recovery/ingest-batches.ts';
import { loadUnscored } from '../store/transactions/unscored.ts';
import { type AppendMissing, byReception, type StreamOf } from './append-missing.ts';
import type { Market } from './market.ts';

export type Round = {
  /** By Postgres' clock. */
  readonly nowMs: number;
  /** A request no longer works on a batch of this age; it is the reconciler's. */
  readonly agedMs: number;
  /** Transactions that a stream has room for; 0 where a stream that was full has too little to continue. */
  readonly roomOf: (stream: string) => number;
  readonly append: AppendMissing;
  readonly isOver: () => boolean;
};

type RoundResult = {
  /** Batches that were closed. */
  readonly closed: number;
  /** Transactions that are no longer owed. */
  readonly settled: number;
};

type OpenBatches = {
  readonly round: (round: Round) => Promise<RoundResult>;
  /** Streams that still wait for space. */
  readonly full: () => ReadonlySet<string>;
  /** Starts over: another process may have worked meanwhile. */
  readonly forget: () => void;
};

const PAGE_TRANSACTIONS_MAX = 5000;
/** As many as a batch holds at most. */
const PAGE_TRANSACTIONS_MIN = 1000;
/**
 * How far behind the last read position a batch may still be committed with an earlier time; one that is later
 * still is found when reading starts over.
 */
const COMMIT_MARGIN_MS = 2000;
const START_OVER_MS_MIN = 60_000;
/** Share of the time that starting over may take. */
const START_OVER_SHARE = 1 / 20;

export function createOpenBatches(market: Market, streamOf: StreamOf): OpenBatches {
  /** Where reading goes on. */
  let frontier = FIRST_BATCH;
  /** Everything before this position was read: of that, only `owing` streams are owed anything. */
  let readTo = FIRST_BATCH;
  let owing: ReadonlySet<string> = new Set();
  /** Full streams, each with the position of the first batch that owes it something. */
  const firstOwed = new Map<string, BatchPosition>();
  let startedOverMs = Number.NEGATIVE_INFINITY;
  let readingMs = 0;
  const startOver = () => {
    firstOwed.clear();
    frontier = FIRST_BATCH;
    readTo = FIRST_BATCH;
  };
  const chooseStart = ({ roomOf }: Round): BatchPosition => {
    const isReadAgain = isBefore(frontier, readTo);
    owing = new Set([...(isReadAgain ? owing : []), ...firstOwed.keys()]);
    for (const [stream, position] of firstOwed) {
      if (roomOf(stream) === 0) continue;
      if (isBefore(position, frontier)) frontier = position;
      firstOwed.delete(stream);
    }
    const sinceMs = performance.now() - startedOverMs;
    const isDue = sinceMs >= Math.max(START_OVER_MS_MIN, readingMs / START_OVER_SHARE);
    if (owing.size > 0 && !isDue) return frontier;
    startedOverMs = performance.now();
    readingMs = 0;
    startOver();
    return frontier;
  };
  /** What was read before is read as far as streams have room: more of it would be read in vain. */
  const sizePage = ({ roomOf }: Round, after: BatchPosition, settled: number): number => {
    if (!isBefore(after, readTo)) return PAGE_TRANSACTIONS_MAX;
    let room = -settled;
    for (const stream of owing) if (!firstOwed.has(stream)) room += roomOf(stream);
    return Math.min(Math.max(room, PAGE_TRANSACTIONS_MIN), PAGE_TRANSACTIONS_MAX);
  };
  const read = async (round: Round, start: BatchPosition): Promise<RoundResult> => {
    const before = new Date(round.nowMs - round.agedMs);
    let [after, closed, settled] = [start, 0, 0];
    while (!round.isOver()) {
      const size = sizePage(round, after, settled);
      const batches = await listOpenBatches(market.database, before, after, size);
      const last = batches.at(-1);
      if (last === undefined) {
        if (isBefore(frontier, readTo)) frontier = readTo;
        break;
      }
      const done = await settlePage(market, streamOf, { batches, after, firstOwed, round });
      closed += done.closed;
      settled += done.settled;
      const isOwedToFull = isBefore(last, readTo) && [...owing].every((one) => firstOwed.has(one));
      after = isOwedToFull ? readTo : last;
      if (after.receivedAt.getTime() < round.nowMs - COMMIT_MARGIN_MS) frontier = after;
      if (isBefore(readTo, frontier)) readTo = frontier;
    }
    return { closed, settled };
  };
  return {
    round: async (round) => {
      const startMs = performance.now();
      const result = await read(round, chooseStart(round));
      readingMs += performance.now() - startMs;
      return result;
    },
    full: () => new Set(firstOwed.keys()),
    forget: startOver,
  };
}

function isBefore(one: BatchPosition, other: BatchPosition): boolean {
  const difference = one.receivedAt.getTime() - other.receivedAt.getTime();
  return difference < 0 || (difference === 0 && one.batchId < other.batchId);
}

type Page = {
  readonly batches: readonly OpenBatch[];
  /** Position where it starts. */
  readonly after: BatchPosition;
  readonly firstOwed: Map<string, BatchPosition>;
  readonly round: Round;
};

async function settlePage(
  { database, writes }: Market,
  streamOf: StreamOf,
  { batches, after, firstOwed, round }: Page,
): Promise<{ closed: number; settled: number }> {
  const kept = new Set<string>();
  const owed: Transaction[] = [];
  const keep = (transaction: Transaction) => {
    kept.add(transaction.transactionId);
    firstOwed.set(streamOf(transaction), firstOwed.get(streamOf(transaction)) ?? after);
  };
  const ids = batches.flatMap((batch) => batch.transactionIds);
  const rows = await loadUnscored(database, ids);
  for (const transaction of rows.sort(byReception)) {
    if (firstOwed.has(streamOf(transaction))) keep(transaction);
    else owed.push(transaction);
  }
  for (const transaction of await round.append(owed)) keep(transaction);
  return await close(writes, batches, kept);
}

async function close(
  writes: Writes,
  batches: readonly OpenBatch[],
  kept: ReadonlySet<string>,
): Promise<{ closed: number; settled: number }> {
  const closed: string[] = [];
  let settled = 0;
  for (const { batchId, transactionIds } of batches) {
    const rest = transactionIds.filter((id) => kept.has(id));
    settled += transactionIds.length - rest.length;
    if (rest.length === 0) {
      closed.push(batchId);
    } else if (rest.length < transactionIds.length) {
      await narrowIngestBatch(writes, batchId, rest, 'reconciler');
    }
  }
  if (closed.length > 0) await deleteIngestBatches(writes, closed, 'reconciler');
  return { closed: closed.length, settled };
}
