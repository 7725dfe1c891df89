/**
 * What a recovery must not append: transactions that wait in Redis, and those that open batches owe. The
 * recovery takes these batches over, as a request that closed one afterwards could have appended to the Redis
 * that was lost. Of a long backlog only a window of reception is held at a time, so that memory stays bounded
 * whatever waits; the next window reads again.
 */
import { type BatchPosition, FIRST_BATCH, type OpenBatch } from '../domain/open-batch.ts';
import { listOpenBatches, takeOverIngestBatches } from '../store/recovery/ingest-batches.ts';
import { SHARDS_MAX } from '../stream/keys.ts';
import { readWaiting, type WaitingTransaction } from '../stream/status/waiting.ts';
import { createIdSet, type IdSet } from './id-set.ts';
import { listStreams, type Market } from './market.ts';

/** Reads the open batches and the waiting entries of a market; a test has a stand-in. */
export type Waiting = {
  readonly listOpenBatches: (
    before: Date,
    after: BatchPosition,
    transactionsMax: number,
  ) => Promise<readonly OpenBatch[]>;
  /** Takes batches over from their requests; returns those that are still open, as they are from now on. */
  readonly takeOver: (batchIds: readonly string[]) => Promise<readonly OpenBatch[]>;
  /** Pages of what waits in all streams of the market. */
  readonly readWaiting: () => AsyncIterable<readonly WaitingTransaction[]>;
};

export function waitingIn(market: Market): Waiting {
  const { database, writes, redis } = market;
  return {
    listOpenBatches: (before, after, max) => listOpenBatches(database, before, after, max),
    takeOver: (ids) => takeOverIngestBatches(writes, ids),
    readWaiting: async function* () {
      // Includes streams that are no longer appended to: what waits there would be appended a second time.
      for (const stream of await listStreams(market, SHARDS_MAX)) yield* readWaiting(redis, stream);
    },
  };
}

export type WaitingWindow = {
  readonly has: (transactionId: string) => boolean;
  /** End of the window: every waiting transaction received before is known. */
  readonly toMs: number;
};

/** Ids held at a time: 16 MiB, and half as much again while the table grows. */
const WAITING_IDS_MAX = 600_000;
const PAGE_TRANSACTIONS = 5000;

/** The longest window from `fromMs`, at most to `toMs`, in which no more than `idsMax` wait. */
export async function readWaitingWindow(
  waiting: Waiting,
  fromMs: number,
  toMs: number,
  idsMax = WAITING_IDS_MAX,
): Promise<WaitingWindow> {
  let endMs = toMs;
  for (;;) {
    const read = await readIds(waiting, fromMs, endMs, idsMax);
    if ('ids' in read) return { has: read.ids.has, toMs: endMs };
    endMs = Math.max(fromMs + 1, read.shorterMs);
  }
}

type Read = { readonly ids: IdSet } | { readonly shorterMs: number };

async function readIds(
  waiting: Waiting,
  fromMs: number,
  toMs: number,
  idsMax: number,
): Promise<Read> {
  const ids = createIdSet();
  let [firstMs, lastMs] = [toMs, fromMs];
  for await (const page of readOwed(waiting, new Date(toMs))) {
    for (const { transactionId, receivedAtMs } of page) {
      if (receivedAtMs < fromMs || receivedAtMs >= toMs) continue;
      ids.add(transactionId);
      firstMs = Math.min(firstMs, receivedAtMs);
      lastMs = Math.max(lastMs, receivedAtMs);
    }
    // A millisecond is not divided; its transactions are bounded by what requests carry.
    if (ids.size() > idsMax && toMs - fromMs > 1) {
      return { shorterMs: Math.min(toMs - 1, Math.ceil((firstMs + lastMs) / 2)) };
    }
  }
  return { ids };
}

/**
 * Reads open batches before Redis: what an API appends and closes meanwhile is found in one or the other.
 * @param before batches received later are left alone
 */
export async function* readOwed(
  { listOpenBatches, takeOver, readWaiting }: Waiting,
  before: Date,
): AsyncGenerator<readonly WaitingTransaction[], void> {
  let after = FIRST_BATCH;
  for (;;) {
    const batches = await listOpenBatches(before, after, PAGE_TRANSACTIONS);
    const last = batches.at(-1);
    if (last === undefined) break;
    after = last;
    const owing = await takeOver(batches.map(({ batchId }) => batchId));
    yield owing.flatMap(({ receivedAt, transactionIds }) =>
      transactionIds.map((transactionId) => ({
        transactionId,
        receivedAtMs: receivedAt.getTime(),
      })),
    );
  }
  yield* readWaiting();
}
