/**
 * The reconciler's way into the streams: bounded pages, counted. It appends what was accepted before,
 * so every entry says `reconciled` and its profile is rebuilt. A full stream does not hold up others.
 */
import type { Transaction } from '../domain/transaction.ts';
import type { AppendEntries } from './append-entries.ts';

const PAGE_ENTRIES = 1000;

/** Appends; returns the ids that full streams left. Throws Failure `unavailable`. */
export type AppendMissing = (transactions: readonly Transaction[]) => Promise<ReadonlySet<string>>;

export function createAppendMissing(
  append: AppendEntries,
  count: (transactions: number) => void,
): AppendMissing {
  return async (transactions) => {
    const left = new Set<string>();
    for (let at = 0; at < transactions.length; at += PAGE_ENTRIES) {
      const page = transactions.slice(at, at + PAGE_ENTRIES);
      const result = await append(
        page.map((transaction) => ({
          transaction,
          attempt: 1,
          origin: 'reconciled' as const,
          replyTo: null,
        })),
      );
      count(result.appended);
      for (const { transaction } of result.left) left.add(transaction.transactionId);
    }
    return left;
  };
}
