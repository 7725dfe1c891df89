/** Scores a transaction by the engine's own core with empty profiles: no profile is read or kept. */
import type { Decision } from '../../src/core/domain/score-record.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { currentRuleSet } from '../../src/core/score/rules/rule-sets.ts';
import { score } from '../../src/core/score/score.ts';
import { features } from '../../test/support/oracle/features.ts';
import type { AccountHistory, MerchantHistory } from '../../test/support/oracle/histories.ts';

export const RULE_SET: string = currentRuleSet.id;

export type ScoredAlone = { readonly decision: Decision; readonly features: Float64Array };

export function scoreAlone(transaction: Transaction): ScoredAlone {
  const vector = features(transaction, NO_SIBLINGS, NO_SALES);
  const decision = score({ vector, ruleSet: currentRuleSet, opinion: null });
  return { decision, features: vector };
}

/** The history of an account without a transaction. */
const NO_SIBLINGS: AccountHistory = {
  siblings: 0,
  spanMs: Number.NaN,
  count1h: 0,
  count24h: 0,
  count7d: 0,
  count30d: 0,
  sum1h: 0,
  sum24h: 0,
  sum7d: 0,
  sum30d: 0,
  amounts30d: 0,
  mean30d: Number.NaN,
  deviation30d: Number.NaN,
  max30d: Number.NaN,
  amounts: 0,
  median: Number.NaN,
  p90: Number.NaN,
  nearLimit72h: 0,
  distinctMerchants1h: 0,
  distinctMerchants24h: 0,
  firstMerchant: Number.NaN,
  firstCorridor: Number.NaN,
  firstCountry: Number.NaN,
  firstDevice: Number.NaN,
  gapMs: Number.NaN,
  countryChangeMs: Number.NaN,
  nightShare: Number.NaN,
  aroundHour: 0,
  amounts24h: 0,
  amounts7d: 0,
  meanSeen: Number.NaN,
  max7d: Number.NaN,
  max14d: Number.NaN,
  large14d: 0,
  fraudRate7d: 0,
  fraudRate30d: 0,
  fraudRate90d: 0,
  youngFrauds: 0,
  distanceMedian: Number.NaN,
};

/** The history of a merchant without a transaction. */
const NO_SALES: MerchantHistory = {
  count1h: 0,
  count24h: 0,
  count7d: 0,
  count30d: 0,
  amounts30d: 0,
  mean30d: Number.NaN,
  distinctAccounts1h: 0,
  gapMs: Number.NaN,
  matured24h: 0,
  matured7d: 0,
  matured30d: 0,
  fraudRate24h: 0,
  fraudRate7d: 0,
  fraudRate30d: 0,
  fraudRate90d: 0,
  ordinaryRate7d: 0,
  youngFrauds: 0,
  runMs: Number.NaN,
  firstFraudMs: Number.NaN,
  firstFraudShare: Number.NaN,
};
