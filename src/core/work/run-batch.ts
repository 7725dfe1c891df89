/**
 * Brings a batch to its end in any case: it waits while a dependency fails, is bisected on a failure of its own until the
 * transaction to blame is alone, and is given back when the worker stops.
 */
import { Failure, isUnavailable, toError } from '../../kit/words/failure.ts';
import { MonthDetached, monthOf } from '../../kit/words/month.ts';
import type { StreamEntry } from '../stream/group/read-group.ts';
import { type Decided, type EntryTransaction, failTransaction, readEntries } from './decided.ts';
import { ALL_SETTLED, endEntries, releaseEntries, type Unsettled } from './end-batch.ts';
import type { Batch } from './lanes.ts';
import { scoreBatch } from './score-batch.ts';
import { codeOf, traceBatch, type Worker } from './worker.ts';

/** Resolves to the streams where the batch has pending entries still, because nothing there can be settled. */
export async function runBatch(worker: Worker, { entries, end }: Batch): Promise<Unsettled> {
  try {
    const { transactions, decided } = readEntries(worker.entries, entries);
    const traced = traceBatch(worker, transactions);
    try {
      const isNoted = traced.noteDelivered === undefined || (await note(traced, transactions));
      const scored = isNoted ? await score(traced, transactions) : undefined;
      const unsettled = scored && (await conclude(traced, [...decided, ...scored]));
      if (unsettled === undefined) await release(traced, entries);
      // No work remains when the entries were given back, or left for others to claim.
      return unsettled ?? ALL_SETTLED;
    } finally {
      traced.trace?.end();
    }
  } finally {
    end();
  }
}

/** False when the worker stops. */
async function note(worker: Worker, transactions: readonly EntryTransaction[]): Promise<boolean> {
  try {
    const noted = await untilAvailable(worker, async () => {
      await worker.noteDelivered?.(transactions);
      return true;
    });
    return noted ?? false;
  } catch (error) {
    // People see it in the comparison; the transactions are scored all the same.
    worker.log.error({ err: toError(error).message }, 'deliveries were not written down');
    return true;
  }
}

/** Bisects; a single transaction has failed for its own reason. Undefined when the worker stops. */
async function score(
  worker: Worker,
  transactions: readonly EntryTransaction[],
): Promise<Decided[] | undefined> {
  const { log } = worker;
  const [first] = transactions;
  if (first === undefined) return [];
  try {
    return await untilAvailable(worker, () => scoreBatch(worker, transactions));
  } catch (error) {
    worker.trace?.fail(codeOf(error));
    if (error instanceof MonthDetached) return await failMonths(worker, transactions, error);
    if (transactions.length > 1) {
      const counts = { transactions: transactions.length };
      log.warn({ err: toError(error).message, ...counts }, 'batch falls apart');
      const middle = transactions.length >> 1;
      const before = await score(worker, transactions.slice(0, middle));
      const after = before && (await score(worker, transactions.slice(middle)));
      return after && [...before, ...after];
    }
    const failure = toOwnFailure(error);
    const { entry, transaction } = first;
    const names = { stream: entry.stream.transactions, entry: entry.id };
    const { transactionId } = transaction;
    log.warn({ ...names, transactionId, code: failure.code }, 'transaction failed');
    return [failTransaction(worker, first, failure)];
  }
}

/** Transactions of a detached month cannot be scored, however often they are tried: the failure names them, so nobody bisects. */
async function failMonths(
  worker: Worker,
  transactions: readonly EntryTransaction[],
  failure: MonthDetached,
): Promise<Decided[] | undefined> {
  const { detached = [], others = [] } = Object.groupBy(transactions, ({ transaction }) =>
    failure.months.has(monthOf(transaction.createdAtMs)) ? 'detached' : 'others',
  );
  const counts = { code: failure.code, transactions: detached.length };
  worker.log.warn({ err: failure.message, ...counts }, 'months are detached');
  const scored = await score(worker, others);
  return (
    scored && [
      ...detached.map((transaction) => failTransaction(worker, transaction, failure)),
      ...scored,
    ]
  );
}

/** Bisects by entries, as one is settled as a whole. Undefined when the worker stops. */
async function conclude(
  worker: Worker,
  decided: readonly Decided[],
): Promise<Unsettled | undefined> {
  const { pause, log } = worker;
  try {
    const unsettled = await untilAvailable(worker, () => endEntries(worker, decided));
    if (unsettled !== undefined) pause.end();
    return unsettled;
  } catch (error) {
    // An answer proves that the dependency works, and there may be no other call that does.
    pause.end();
    const groups = [...Map.groupBy(decided, ({ entry }) => entry).values()];
    if (groups.length <= 1) {
      const entry = decided[0]?.entry.id;
      log.error({ err: toError(error).message, entry }, 'entry stays pending');
      return ALL_SETTLED;
    }
    const middle = groups.length >> 1;
    const before = await conclude(worker, groups.slice(0, middle).flat());
    const after = before && (await conclude(worker, groups.slice(middle).flat()));
    return after && new Set([...before, ...after]);
  }
}

async function release(worker: Worker, entries: readonly StreamEntry[]): Promise<void> {
  await releaseEntries(worker, entries).catch((reason: unknown) => {
    const counts = { entries: entries.length };
    worker.log.warn({ err: toError(reason).message, ...counts }, 'entries stay pending');
  });
}

/** Undefined when the worker stops while a dependency is down. */
async function untilAvailable<T>(
  { pause, stop, onSignOfLife, trace }: Worker,
  step: () => Promise<T>,
): Promise<T | undefined> {
  for (;;) {
    onSignOfLife();
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof Failure && isUnavailable(error))) throw error;
      trace?.fail(error.code);
      if (!stop.signal.aborted) await pause.begin(error);
      if (stop.signal.aborted) return undefined;
    }
  }
}

/** A bug met while one transaction was processed counts against it, not against the process. */
function toOwnFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure('transient', 'PROCESSING_FAILED', toError(thrown).message, { cause: thrown });
}
