/** Rules on what happened at the merchant. */
import { featureOf } from '../../../../src/core/domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const count1h = featureOf('merchant_count_1h');
const usual1h = featureOf('merchant_usual_1h');
const count30d = featureOf('merchant_count_30d');

/** Measures this hour's transactions, this one included, by the usual number. Known false positive: sales, ticket openings. */
export const merchantBurst: Rule = {
  id: 'merchant-burst',
  reasonCode: 'MERCHANT_BURST',
  summary: 'Far more transactions at this merchant this hour than usual.',
  features: ['merchant_count_1h', 'merchant_usual_1h', 'merchant_count_30d'],
  bounds: {
    count: 'least transactions this hour',
    month: 'siblings of 30 days needed to speak of a usual hour',
  },
  measure(vector, bounds) {
    const now = count1h(vector) + 1;
    const isKnown = count30d(vector) >= (bounds['month'] ?? 0);
    if (now < (bounds['count'] ?? 0) || !isKnown) return Number.NaN;
    return usual1h(vector) > 0 ? now / usual1h(vector) : Number.NaN;
  },
  detail: (vector) =>
    `${count1h(vector) + 1} transactions at this merchant this hour, usually ${usual1h(vector).toFixed(1)}`,
};

const accounts1h = featureOf('merchant_accounts_1h');

/**
 * Measures the distinct accounts of this hour where they are many times the merchant's usual hour. Known false positive: the
 * first day of a shop, a collection for a cause.
 */
export const merchantFanIn: Rule = {
  id: 'merchant-fan-in',
  reasonCode: 'MERCHANT_FAN_IN',
  summary: 'Many different accounts pay one merchant within an hour that few use.',
  features: ['merchant_accounts_1h', 'merchant_usual_1h'],
  bounds: { timesUsual: 'least ratio of the accounts to the usual number of transactions an hour' },
  measure(vector, bounds) {
    const now = accounts1h(vector);
    return now >= (bounds['timesUsual'] ?? 0) * usual1h(vector) ? now : Number.NaN;
  },
  detail: (vector) => `${accounts1h(vector)} different accounts paid this merchant this hour`,
};

const runDays = featureOf('merchant_run_days');
const ordinaryRate = featureOf('merchant_ordinary_rate_7d');

/**
 * Measures the rate of fraud of seven days with known labels, without frauds that their own amount explains: those say
 * something of the account. Known false positive: a merchant whose leak was closed since.
 */
export const merchantFraudRun: Rule = {
  id: 'merchant-fraud-run',
  reasonCode: 'MERCHANT_FRAUD_RUN',
  summary: 'Day after day most of what this merchant took turned out fraud.',
  features: ['merchant_run_days', 'merchant_ordinary_rate_7d'],
  bounds: { days: 'oldest beginning of the run, in days' },
  measure: (vector, bounds) =>
    runDays(vector) <= (bounds['days'] ?? 0) ? ordinaryRate(vector) : Number.NaN,
  detail: (vector) =>
    `Since ${runDays(vector).toFixed(0)} days ago most transactions at this merchant with known labels were fraud`,
};

const matured = featureOf('merchant_matured_30d');
const rate = featureOf('merchant_fraud_rate_30d');

/** Measures the rate of fraud of 30 days with known labels. Known false positive: most customers, so the weights are small. */
export const merchantFraudRate: Rule = {
  id: 'merchant-fraud-rate',
  reasonCode: 'MERCHANT_FRAUD_RATE',
  summary: 'Much of what this merchant took in 30 days turned out fraud.',
  features: ['merchant_matured_30d', 'merchant_fraud_rate_30d'],
  bounds: { siblings: 'matured siblings needed to speak of a rate' },
  measure: (vector, bounds) =>
    matured(vector) >= (bounds['siblings'] ?? 0) ? rate(vector) : Number.NaN,
  detail: (vector) =>
    `${(rate(vector) * 100).toFixed(1)} % of this merchant's transactions with known labels were fraud`,
};
