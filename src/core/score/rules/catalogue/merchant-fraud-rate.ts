/**
 * Catches trade with a merchant that is often abused. Measures the rate of fraud of 30 days whose labels are known.
 * Known false positive: most customers of such a merchant, hence its small weights.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const siblings = featureOf('merchant_matured_30d');
const rate = featureOf('merchant_fraud_rate_30d');

export const merchantFraudRate: Rule = {
  id: 'merchant-fraud-rate',
  reasonCode: 'MERCHANT_FRAUD_RATE',
  summary: 'Much of what this merchant took in 30 days turned out fraud.',
  features: ['merchant_matured_30d', 'merchant_fraud_rate_30d'],
  bounds: { siblings: 'matured siblings needed to speak of a rate' },
  measure: (vector, bounds) =>
    siblings(vector) >= (bounds['siblings'] ?? 0) ? rate(vector) : Number.NaN,
  detail: (vector) =>
    `${(rate(vector) * 100).toFixed(1)} % of this merchant's transactions with known labels were fraud`,
};
