/**
 * Feature vectors of stored transactions from Postgres alone: each from profiles that are rebuilt around it, by the
 * fold that workers use. What was logged is the same to the bit where everything arrived in order; otherwise it
 * lacks siblings, or labels, that came later.
 */
import type { Transaction } from '../domain/transaction.ts';
import { createAccountKind } from '../profile/account-kind.ts';
import { foldBatch } from '../profile/fold-batch.ts';
import { createMerchantKind } from '../profile/merchant-kind.ts';
import { beginRows } from '../profile/own-features.ts';
import { vectorOf } from '../scoring/feature-rows.ts';
import { loadAccountPasts, loadMerchantPasts } from '../store/history.ts';
import type { Database } from '../store/pool.ts';

/** One vector of the schema of today a transaction, in their order. */
export type RecomputeVectors = (transactions: readonly Transaction[]) => Promise<Float64Array[]>;

export function createRecomputeVectors(
  { query }: Pick<Database, 'query'>,
  maturityDays: number,
): RecomputeVectors {
  const accountKind = createAccountKind(maturityDays);
  const merchantKind = createMerchantKind(maturityDays);
  return async (transactions) => {
    const batch = {
      ...beginRows(transactions),
      transactions,
      indices: transactions.map((_, index) => index),
    };
    await foldBatch({
      ...batch,
      kind: accountKind,
      holdings: holdingsOf(transactions),
      loadPasts: (points) => loadAccountPasts(query, points),
    });
    await foldBatch({
      ...batch,
      kind: merchantKind,
      holdings: holdingsOf(transactions),
      loadPasts: (points) => loadMerchantPasts(query, points, maturityDays),
    });
    return transactions.map((_, index) => vectorOf(batch.rows, index));
  };
}

/** A profile of its own each, so that none sees what another one was folded into. */
function holdingsOf(transactions: readonly Transaction[]) {
  return transactions.map(() => ({ profile: undefined, storedHeader: null }));
}
