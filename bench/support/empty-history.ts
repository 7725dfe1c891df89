/** Scores by the engine's own core, of a transaction nothing is known about: no profile is read or kept. */
import type { AccountHistory, MerchantHistory } from '../../src/domain/history.ts';
import type { Decision } from '../../src/domain/score-record.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import { accountKind } from '../../src/profile/account-kind.ts';
import { merchantKind } from '../../src/profile/merchant-kind.ts';
import { FEATURE_COUNT } from '../../src/scoring/feature-schema.ts';
import { features } from '../../src/scoring/features.ts';
import { currentRuleSet } from '../../src/scoring/rule-sets.ts';
import { score } from '../../src/scoring/score.ts';

export const RULE_SET: string = currentRuleSet.id;

export type ScoredAlone = { readonly decision: Decision; readonly features: Float64Array };

const FIRST = { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' };

export function createAloneScorer(): (transaction: Transaction) => ScoredAlone {
  // The same for all but in what a currency's limit makes missing, which nothing here depends on.
  const { account, merchant } = emptyHistories();
  return (transaction) => {
    const vector = new Float64Array(FEATURE_COUNT);
    features(transaction, account, merchant, vector);
    return { decision: score({ vector, ruleSet: currentRuleSet, model: null }), features: vector };
  };
}

/** As the fold of a first transaction sees it. */
function emptyHistories(): { account: AccountHistory; merchant: MerchantHistory } {
  const account = accountKind.fold(
    accountKind.rebuild({ rows: [], floor: FIRST, ceiling: null }, null),
    FIRST_TRANSACTION,
  );
  const merchant = merchantKind.fold(
    merchantKind.rebuild(
      { rows: [], tallies: [], horizon: null, knownFromMs: 0, ceiling: null },
      null,
    ),
    FIRST_TRANSACTION,
  );
  if (account.kind !== 'folded' || merchant.kind !== 'folded') throw new Error('not folded');
  return { account: account.history, merchant: merchant.history };
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
};
