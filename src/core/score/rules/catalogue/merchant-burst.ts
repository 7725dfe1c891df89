/**
 * Catches a merchant that is being abused, by card testers or by itself: far more transactions this
 * hour than usual. Measures this hour's transactions, this one included, by the usual number an hour
 * (ratio). Known false positive: sales, ticket openings.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const count = featureOf('merchant_count_1h');
const usual = featureOf('merchant_usual_1h');
const month = featureOf('merchant_count_30d');

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
    const now = count(vector) + 1;
    if (now < (bounds['count'] ?? 0) || !(month(vector) >= (bounds['month'] ?? 0)))
      return Number.NaN;
    return usual(vector) > 0 ? now / usual(vector) : Number.NaN;
  },
  detail: (vector) =>
    `${count(vector) + 1} transactions at this merchant this hour, usually ${usual(vector).toFixed(1)}`,
};
