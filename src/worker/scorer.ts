/** The pure core as the worker sees it: two functions, and the names that are stored with their results. */
import type { AccountHistory, MerchantHistory } from '../domain/history.ts';
import type { Decision } from '../domain/score-record.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Opinion } from '../scoring/opinion.ts';

export type Scorer = {
  readonly featureSchema: number;
  readonly ruleSet: string;
  readonly featureCount: number;
  /** Writes the features into `vector`, which is `featureCount` long. */
  readonly fill: (
    transaction: Transaction,
    account: AccountHistory,
    merchant: MerchantHistory,
    vector: Float64Array,
  ) => void;
  /** @param opinion of the deciding model; null while the rules decide alone */
  readonly decide: (
    vector: Float64Array,
    opinion: Opinion | null,
    transaction: Transaction,
  ) => Decision;
};
