/**
 * Catches thieves who work while the holder sleeps: a raised amount between 00:00 and 06:00 UTC by an
 * account that is not used at night. Measures the amount by the account's median (ratio). Known false
 * positive: people east or west of their usual time zone.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const night = featureOf('night');
const nightShare = featureOf('night_share');
const amounts = featureOf('amounts');
const ratio = featureOf('amount_to_median');

export const nightHighAmount: Rule = {
  id: 'night-high-amount',
  reasonCode: 'NIGHT_HIGH_AMOUNT',
  summary: 'A raised amount at night by an account that sleeps at night.',
  features: ['night', 'night_share', 'amounts', 'amount_to_median'],
  bounds: {
    amounts: 'same-currency siblings needed to speak of a habit',
    nightShare: 'greatest share of siblings at night',
  },
  measure(vector, bounds) {
    if (night(vector) !== 1 || !(amounts(vector) >= (bounds['amounts'] ?? 0))) return Number.NaN;
    return nightShare(vector) <= (bounds['nightShare'] ?? 0) ? ratio(vector) : Number.NaN;
  },
  detail: (vector) =>
    `${ratio(vector).toFixed(1)} times the usual amount at night, when ${(nightShare(vector) * 100).toFixed(0)} % of its transactions are`,
};
