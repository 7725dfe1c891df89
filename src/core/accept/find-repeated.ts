/**
 * Finds requests that are repeated though their fingerprint is not the stored one. After an erasure a value has another token: the
 * stored transaction wins where all other fields agree and its own token leads nowhere any more.
 */
import { loadTransactionRows } from '../store/transactions/read-transactions.ts';
import type { Ingest } from './ingest.ts';
import type { Conflict } from './key-conflict.ts';
import { fingerprintOf } from './prepare-transactions.ts';

/** @returns the indexes of conflicts that are repetitions */
export async function findRepeated(
  { database, tokens }: Pick<Ingest, 'database' | 'tokens'>,
  conflicts: readonly Conflict[],
): Promise<ReadonlySet<number>> {
  const edge = tokens();
  if (edge === null || conflicts.length === 0) return new Set();
  const ids = conflicts.map(({ transactionId }) => transactionId);
  const rows = await loadTransactionRows(database, ids);
  const rowOf = new Map(rows.map((row) => [row.transaction_id, row]));
  const repeated = conflicts.flatMap(({ index, input, transactionId, fingerprint }) => {
    const stored = rowOf.get(transactionId);
    return stored === undefined ? [] : { index, input, fingerprint, stored };
  });
  const inputs = await edge.withErased(repeated);
  const same = repeated.filter(({ fingerprint }, nth) => {
    const input = inputs[nth];
    return input !== undefined && fingerprintOf(input) === fingerprint;
  });
  return new Set(same.map(({ index }) => index));
}
