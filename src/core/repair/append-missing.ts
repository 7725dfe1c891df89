/**
 * How the reconciler appends to the streams: bounded pages, counted. Every entry says `reconciled`, because its
 * transaction may have been in a stream before. Once a stream leaves one, it gets none of the following; other
 * streams go on.
 */
import { comparePositions } from '../domain/history.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Producer } from '../stream/entries/producer.ts';

const PAGE_ENTRIES = 1000;

/** Name of a transaction's stream. */
export type StreamOf = (transaction: Transaction) => string;

/** Appends; returns what full streams refused. Throws Failure `unavailable`. */
export type AppendMissing = (transactions: readonly Transaction[]) => Promise<Transaction[]>;

export function createAppendMissing(
  producer: Producer,
  streamOf: StreamOf,
  count: (transactions: number) => void,
): AppendMissing {
  return async (transactions) => {
    const left: Transaction[] = [];
    const full = new Set<string>();
    for (let at = 0; at < transactions.length; at += PAGE_ENTRIES) {
      const page: Transaction[] = [];
      for (const transaction of transactions.slice(at, at + PAGE_ENTRIES)) {
        (full.has(streamOf(transaction)) ? left : page).push(transaction);
      }
      const result = await producer.append(page.map(toEntry));
      count(result.appended);
      for (const { transaction } of result.left) {
        left.push(transaction);
        full.add(streamOf(transaction));
      }
    }
    return left;
  };
}

const toEntry = (transaction: Transaction) =>
  ({ transaction, attempt: 1, origin: 'reconciled', replyTo: null, rowId: null }) as const;

/** Rows in the order of their reception; those of one request in the order of their own time. */
export function byReception(one: Transaction, other: Transaction): number {
  return one.receivedAtMs - other.receivedAtMs || comparePositions(one, other);
}
