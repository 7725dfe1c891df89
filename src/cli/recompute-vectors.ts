/**
 * Feature vectors of stored transactions from Postgres alone: each from profiles that are rebuilt around it, by the
 * fold that workers use. What was logged is the same to the bit where everything arrived in order; otherwise it
 * lacks siblings, or labels, that came later.
 */
import type { Transaction } from '../domain/transaction.ts';
import { createAccountKind } from '../profile/account-kind.ts';
import { foldBatch, type LoadPasts } from '../profile/fold-batch.ts';
import { createMerchantKind } from '../profile/merchant-kind.ts';
import type { Profile, ProfileKind } from '../profile/profile.ts';
import { features } from '../scoring/features.ts';
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
    const accounts = await historiesOf(accountKind, transactions, (points) =>
      loadAccountPasts(query, points),
    );
    const merchants = await historiesOf(merchantKind, transactions, (points) =>
      loadMerchantPasts(query, points, maturityDays),
    );
    return transactions.map((transaction, index) => {
      const [account, merchant] = [accounts[index], merchants[index]];
      if (account === undefined || merchant === undefined) throw new Error('a history is missing');
      return features(transaction, account, merchant);
    });
  };
}

/** A profile of its own each, so that none sees what another one was folded into. */
function historiesOf<P extends Profile, History, Past>(
  kind: ProfileKind<P, History, Past>,
  transactions: readonly Transaction[],
  loadPasts: LoadPasts<Past>,
): Promise<History[]> {
  const holdings = transactions.map(() => ({ profile: undefined, storedHeader: null }));
  return foldBatch({ kind, transactions, holdings, loadPasts });
}
