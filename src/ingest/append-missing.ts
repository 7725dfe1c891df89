/**
 * The reconciler's way into the streams: bounded pages, counted. Every entry says `reconciled`, because
 * its transaction may have been in a stream before. A stream that leaves one takes none of those behind
 * it; other streams are not held up.
 */
import { comparePositions } from '../domain/history.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { AppendEntries } from './append-entries.ts';

const PAGE_ENTRIES = 1000;

/** A name for the stream of a transaction. */
export type StreamOf = (transaction: Transaction) => string;

/** Appends; returns those that full streams left. Throws Failure `unavailable`. */
export type AppendMissing = (transactions: readonly Transaction[]) => Promise<Transaction[]>;

export function createAppendMissing(
  append: AppendEntries,
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
      const result = await append(page.map(toEntry));
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
  ({ transaction, attempt: 1, origin: 'reconciled', replyTo: null }) as const;

/** The order in which transactions came in; those of one request in the order of their own time. */
export function byReception(one: Transaction, other: Transaction): number {
  return one.receivedAtMs - other.receivedAtMs || comparePositions(one, other);
}
