/**
 * Catches a compromised merchant: for days on end half of its ordinary transactions or more turned out fraud,
 * up to the newest day whose labels are known. Measures the rate of fraud of seven such days, without frauds that
 * their own amount explains: those say something of the account. Known false positive: a merchant whose leak was
 * closed since.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const days = featureOf('merchant_run_days');
const rate = featureOf('merchant_ordinary_rate_7d');

export const merchantFraudRun: Rule = {
  id: 'merchant-fraud-run',
  reasonCode: 'MERCHANT_FRAUD_RUN',
  summary: 'Day after day most of what this merchant took turned out fraud.',
  features: ['merchant_run_days', 'merchant_ordinary_rate_7d'],
  bounds: { days: 'oldest beginning of the run, in days' },
  measure: (vector, bounds) => (days(vector) <= (bounds['days'] ?? 0) ? rate(vector) : Number.NaN),
  detail: (vector) =>
    `Since ${days(vector).toFixed(0)} days ago most transactions at this merchant with known labels were fraud`,
};
