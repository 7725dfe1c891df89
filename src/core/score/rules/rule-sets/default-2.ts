/**
 * default@2: default@1, and rules on the labels of a transaction's merchant and account. The new weights were
 * chosen on two labelled weeks of card payments, before the evaluated ones; they hold where labels come a week
 * late.
 */
import { bandsOf } from '../band.ts';
import type { RuleData, RuleSetData } from '../rule-set-data.ts';
import { default1 } from './default-1.ts';

/**
 * Measures the rate of fraud of seven days with known labels, without frauds that their own amount explains: those say
 * something of the account. Known false positive: a merchant whose leak was closed since.
 */
const merchantFraudRun: RuleData = {
  id: 'merchant-fraud-run',
  code: 'MERCHANT_FRAUD_RUN',
  sentence: 'Day after day most of what this merchant took turned out fraud.',
  when: 'merchant_run_days <= 28',
  measure: 'merchant_ordinary_rate_7d',
  bands: bandsOf([0.1, 0.05], [0.3, 0.4], [0.6, 0.8], [0.85, 0.93]),
  detail:
    'Since {merchant_run_days:0} days ago most transactions at this merchant with known labels were fraud',
};

/** Known false positive: most customers, so the weights are small. */
const merchantFraudRate: RuleData = {
  id: 'merchant-fraud-rate',
  code: 'MERCHANT_FRAUD_RATE',
  sentence: 'Much of what this merchant took in 30 days turned out fraud.',
  when: 'merchant_matured_30d >= 20',
  measure: 'merchant_fraud_rate_30d',
  bands: bandsOf([0.1, 0.02], [0.3, 0.08], [0.6, 0.2]),
  detail:
    "{merchant_fraud_rate_30d * 100:1} % of this merchant's transactions with known labels were fraud",
};

/** Measures the amount by the median. Known false positive: the owner's first larger purchase with a new card. */
const accountFraud: RuleData = {
  id: 'account-fraud',
  code: 'ACCOUNT_FRAUD',
  sentence: "The account had a known fraud lately, and the amount is above the account's median.",
  when: 'young_frauds > 0 || fraud_rate_30d > 0',
  measure: 'amount_to_median',
  bands: bandsOf([1, 0.02], [2, 0.2], [3, 0.5]),
  detail: 'The account had a known fraud lately, and the amount is {measure:1} times its median',
};

export const default2: RuleSetData = {
  ...default1,
  id: 'default@2',
  feature_schema: 2,
  rules: [...default1.rules, merchantFraudRun, merchantFraudRate, accountFraud],
};
