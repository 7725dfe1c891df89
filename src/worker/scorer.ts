/** The pure core as the worker sees it: one function, and the names that are stored with its results. */
import type { AccountHistory, MerchantHistory } from '../domain/history.ts';
import type { Decision } from '../domain/score-record.ts';
import type { Transaction } from '../domain/transaction.ts';

export type Scorer = {
  readonly featureSchema: number;
  readonly ruleSet: string;
  readonly model: string | null;
  readonly featureCount: number;
  /** Writes the features into `vector`, which is `featureCount` long, and decides by them. */
  readonly score: (
    transaction: Transaction,
    account: AccountHistory,
    merchant: MerchantHistory,
    vector: Float64Array,
  ) => Decision;
};
