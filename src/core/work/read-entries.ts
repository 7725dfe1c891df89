/** Decodes delivered entries of the version that the worker reads; an entry that cannot be processed is decided here. Pure. */
import { Failure } from '../../kit/words/failure.ts';
import { type EntryReader, identify } from '../stream/entries/entry.ts';
import type { StreamEntry } from '../stream/group/read-group.ts';
import { DELIVERIES_MAX, type Decided, decide, type EntryTransaction } from './decided.ts';

export type ReadEntries = {
  readonly transactions: EntryTransaction[];
  readonly decided: Decided[];
};

/** An entry that cannot be read, is gone, or has crashed too many workers is decided at once. */
export function readEntries({ decode }: EntryReader, entries: readonly StreamEntry[]): ReadEntries {
  const read: ReadEntries = { transactions: [], decided: [] };
  for (const entry of entries) {
    if (entry.deleted) {
      const outcome = { kind: 'acknowledge', published: null } as const;
      read.decided.push({ entry, from: null, outcome });
      continue;
    }
    try {
      const { head, transactions } = decode(entry);
      // An entry of several transactions is divided before this, so no transaction is given up for a neighbour.
      const isGivenUp = entry.deliveries > DELIVERIES_MAX && transactions.length === 1;
      for (const transaction of transactions) {
        const delivered = { entry, head, transaction };
        if (isGivenUp) read.decided.push(giveUp(delivered));
        else read.transactions.push(delivered);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      read.decided.push(...giveUpUnreadable(entry, error));
    }
  }
  return read;
}

/** A dead letter for each transaction that can be told, and one without where there may be others. */
function giveUpUnreadable(entry: StreamEntry, failure: Failure): Decided[] {
  const outcome = { kind: 'dead-letter', failure } as const;
  const { packed, transactions } = entry;
  const ids = new Set(packed === null ? [] : identify(packed));
  const known = [...ids].map((transactionId) => ({
    entry,
    from: null,
    outcome: { ...outcome, transactionId },
  }));
  return ids.size === transactions ? known : [...known, { entry, from: null, outcome }];
}

function giveUp(entryTransaction: EntryTransaction): Decided {
  const detail = `delivered ${entryTransaction.entry.deliveries} times without an end: it may crash the worker`;
  const failure = new Failure('permanent', 'CRASHES_WORKER', detail);
  return decide(entryTransaction, { kind: 'dead-letter', failure });
}

/** The first delivery of each transaction, and the deliveries that repeat it. */
export function splitRepeated(transactions: readonly EntryTransaction[]): {
  readonly firsts: readonly EntryTransaction[];
  readonly repeated: readonly EntryTransaction[];
} {
  const seen = new Set<string>();
  const firsts: EntryTransaction[] = [];
  const repeated: EntryTransaction[] = [];
  for (const transaction of transactions) {
    const { transactionId } = transaction.transaction;
    (seen.has(transactionId) ? repeated : firsts).push(transaction);
    seen.add(transactionId);
  }
  return { firsts, repeated };
}
