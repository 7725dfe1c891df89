/** The pure core as a function, with the names that are stored with its results. */
import type { Decision } from '../domain/score-record.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Opinion } from '../score/judge.ts';

export type Scorer = {
  readonly featureSchema: number;
  readonly ruleSet: string;
  /** @param opinion of the deciding model; null while the rules decide alone */
  readonly decide: (
    vector: Float64Array,
    opinion: Opinion | null,
    transaction: Transaction,
  ) => Decision;
};
