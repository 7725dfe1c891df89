/**
 * Catches structuring: several amounts just below the reporting limit. Measures how many of the last
 * 72 hours, this one included, lie in [0.8, 1) of the limit, where this one does. Known false positive:
 * regular invoices of that size.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const near = featureOf('near_limit_72h');
const amountToLimit = featureOf('amount_to_limit');

export const structuring: Rule = {
  id: 'structuring',
  reasonCode: 'STRUCTURING',
  summary: 'Several amounts just below the reporting limit within three days.',
  features: ['near_limit_72h', 'amount_to_limit'],
  bounds: { nearLimit: 'least ratio of the amount to the limit' },
  measure(vector, bounds) {
    const ratio = amountToLimit(vector);
    return ratio >= (bounds['nearLimit'] ?? 0) && ratio < 1 ? near(vector) + 1 : Number.NaN;
  },
  detail: (vector) => `${near(vector) + 1} amounts just below the reporting limit within 72 hours`,
};
