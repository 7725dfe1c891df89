/**
 * Appends what committed batches still owe the streams: the append failed, a stream was full, or the
 * process died in between. Oldest first; a full stream is passed by, so that a corridor waits alone.
 */
import { type BatchPosition, FIRST_BATCH, type OpenBatch } from '../domain/open-batch.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { AppendMissing } from './append-missing.ts';

export type OpenBatchesDependencies = {
  readonly listOpenBatches: (
    before: Date,
    after: BatchPosition,
    transactionsMax: number,
  ) => Promise<OpenBatch[]>;
  readonly loadUnscored: (transactionIds: readonly string[]) => Promise<Transaction[]>;
  readonly deleteBatches: (batchIds: readonly string[]) => Promise<void>;
  readonly narrowBatch: (batchId: string, transactionIds: readonly string[]) => Promise<void>;
};

const PAGE_TRANSACTIONS = 5000;
/** Pages in a row that went nowhere: all that is left waits for full streams. */
const IDLE_PAGES_MAX = 10;

/** Returns how many batches were closed. */
export async function appendOpenBatches(
  dependencies: OpenBatchesDependencies,
  before: Date,
  append: AppendMissing,
  isOver: () => boolean,
): Promise<number> {
  let closed = 0;
  let idlePages = 0;
  let after = FIRST_BATCH;
  while (!isOver() && idlePages < IDLE_PAGES_MAX) {
    const page = await dependencies.listOpenBatches(before, after, PAGE_TRANSACTIONS);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last;
    const done = await closePage(dependencies, page, append);
    closed += done;
    idlePages = done === 0 ? idlePages + 1 : 0;
  }
  return closed;
}

async function closePage(
  { loadUnscored, deleteBatches, narrowBatch }: OpenBatchesDependencies,
  page: readonly OpenBatch[],
  append: AppendMissing,
): Promise<number> {
  const left = await append(await loadUnscored(page.flatMap((batch) => batch.transactionIds)));
  const closed: string[] = [];
  for (const { batchId, transactionIds } of page) {
    const rest = transactionIds.filter((id) => left.has(id));
    if (rest.length === 0) closed.push(batchId);
    else if (rest.length < transactionIds.length) await narrowBatch(batchId, rest);
  }
  if (closed.length > 0) await deleteBatches(closed);
  return closed.length;
}
