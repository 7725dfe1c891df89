/** Scores a transaction by the engine's own core with empty profiles: no profile is read or kept. */
import { FEATURE_COUNT } from '../../src/core/domain/feature-schema.ts';
import type { Decision } from '../../src/core/domain/score-record.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { currentRuleSet } from '../../src/core/score/rules/rule-sets.ts';
import { score } from '../../src/core/score/score.ts';
import { features } from '../../test/support/oracle/features.ts';
import { oracleHistories } from '../../test/support/oracle/vector.ts';
import { makeParties } from './pure-core.ts';

export const RULE_SET: string = currentRuleSet.id;

export type ScoredAlone = { readonly decision: Decision; readonly features: Float64Array };

export function createAloneScorer(): (transaction: Transaction) => ScoredAlone {
  // A single profile serves all currencies: the reporting limit alone depends on the currency, and nothing reads it here.
  const { accounts, merchants } = makeParties();
  const { account, merchant } = oracleHistories(
    FIRST_TRANSACTION,
    first(accounts),
    first(merchants),
  );
  return (transaction) => {
    const vector = new Float64Array(FEATURE_COUNT);
    features(transaction, account, merchant, vector);
    return {
      decision: score({ vector, ruleSet: currentRuleSet, opinion: null }),
      features: vector,
    };
  };
}

const FIRST_TRANSACTION: Transaction = {
  transactionId: '019a0000-0000-7000-8000-000000000000',
  createdAtMs: Date.UTC(2026, 0, 1),
  receivedAtMs: Date.UTC(2026, 0, 1),
  accountId: 'acc_0',
  merchantId: 'm_0',
  amount: '1.00',
  currency: 'USD',
  corridor: 'US-EG',
  type: null,
  ip: null,
  deviceId: null,
  country: null,
  channel: null,
  declared: null,
};

function first<T>(parties: readonly T[]): T {
  const [one] = parties;
  if (one === undefined) throw new Error('no party was made');
  return one;
}
