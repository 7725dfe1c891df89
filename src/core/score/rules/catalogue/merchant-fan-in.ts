/**
 * Catches a mule account collecting: many different accounts paying one small merchant within an
 * hour. Measures the distinct accounts of this hour where they are many times the merchant's usual
 * hour. Known false positive: the first day of a shop, a collection for a cause.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const accounts = featureOf('merchant_accounts_1h');
const usual = featureOf('merchant_usual_1h');

export const merchantFanIn: Rule = {
  id: 'merchant-fan-in',
  reasonCode: 'MERCHANT_FAN_IN',
  summary: 'Many different accounts pay one merchant within an hour that few use.',
  features: ['merchant_accounts_1h', 'merchant_usual_1h'],
  bounds: { timesUsual: 'least ratio of the accounts to the usual number of transactions an hour' },
  measure(vector, bounds) {
    const now = accounts(vector);
    return now >= (bounds['timesUsual'] ?? 0) * usual(vector) ? now : Number.NaN;
  },
  detail: (vector) => `${accounts(vector)} different accounts paid this merchant this hour`,
};
