/**
 * Catches an account emptied in several steps: far more money within 24 hours than on a usual day.
 * Measures the same-currency sum of the last 24 hours, this amount included, by the usual sum of a day
 * (ratio), where it takes at least two transactions. Known false positive: moving house.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const ratio = featureOf('sum_24h_to_usual');
const sum = featureOf('sum_24h');
const count = featureOf('count_24h');
const amounts = featureOf('amounts');
const amount = featureOf('amount');

export const velocitySum24h: Rule = {
  id: 'velocity-sum-24h',
  reasonCode: 'VELOCITY_SUM_24H',
  summary: 'Far more money within a day than this account usually moves.',
  features: ['sum_24h_to_usual', 'sum_24h', 'count_24h', 'amounts', 'amount'],
  bounds: {
    count: 'least siblings within the 24 hours',
    amounts: 'same-currency siblings needed to speak of a usual day',
  },
  measure(vector, bounds) {
    if (!(count(vector) >= (bounds['count'] ?? 0))) return Number.NaN;
    return amounts(vector) >= (bounds['amounts'] ?? 0) ? ratio(vector) : Number.NaN;
  },
  detail: (vector) =>
    `${(sum(vector) + amount(vector)).toFixed(2)} within 24 hours, ${ratio(vector).toFixed(1)} times a usual day`,
};
