/**
 * What a recovery must not append: transactions that wait in Redis, and those that open batches owe. The
 * recovery takes these batches over, as a request that closed one afterwards could have appended to the Redis
 * that was lost. Of a long backlog only a window of reception is held at a time, so that memory stays bounded
 * whatever waits; the next window reads again.
 */
import { FIRST_BATCH, type OpenBatch } from '../domain/open-batch.ts';
import type { WaitingTransaction } from '../stream/waiting.ts';
import type { OpenBatchesDependencies } from './append-open-batches.ts';
import { createIdSet, type IdSet } from './id-set.ts';

export type WaitingDependencies = Pick<OpenBatchesDependencies, 'listOpenBatches'> & {
  /** Takes batches over from their requests; returns those that are still open, as they are from now on. */
  readonly takeOver: (batchIds: readonly string[]) => Promise<readonly OpenBatch[]>;
  /** Pages of what waits in all streams of the market. */
  readonly readWaiting: () => AsyncIterable<readonly WaitingTransaction[]>;
};

export type WaitingWindow = {
  readonly has: (transactionId: string) => boolean;
  /** End of the window: every waiting transaction received before is known. */
  readonly toMs: number;
};

/** Ids held at a time: 16 MiB, and half as much again while the table grows. */
export const WAITING_IDS_MAX = 600_000;
const PAGE_TRANSACTIONS = 5000;

/** The longest window from `fromMs`, at most to `toMs`, in which no more than `idsMax` wait. */
export async function readWaitingWindow(
  dependencies: WaitingDependencies,
  fromMs: number,
  toMs: number,
  idsMax = WAITING_IDS_MAX,
): Promise<WaitingWindow> {
  let endMs = toMs;
  for (;;) {
    const read = await readIds(dependencies, fromMs, endMs, idsMax);
    if ('ids' in read) return { has: read.ids.has, toMs: endMs };
    endMs = Math.max(fromMs + 1, read.shorterMs);
  }
}

type Read = { readonly ids: IdSet } | { readonly shorterMs: number };

async function readIds(
  dependencies: WaitingDependencies,
  fromMs: number,
  toMs: number,
  idsMax: number,
): Promise<Read> {
  const ids = createIdSet();
  let [firstMs, lastMs] = [toMs, fromMs];
  for await (const page of readOwed(dependencies, new Date(toMs))) {
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
  { listOpenBatches, takeOver, readWaiting }: WaitingDependencies,
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
