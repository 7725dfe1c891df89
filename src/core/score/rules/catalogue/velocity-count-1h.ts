/**
 * Catches a taken-over account being drained, and card testing: many transactions within an hour.
 * Measures the transactions of the last hour, this one included, where they are many times the
 * account's usual. Known false positive: a market day, a batch of invoices paid in one sitting.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const count = featureOf('count_1h');
const usual = featureOf('usual_1h');

export const velocityCount1h: Rule = {
  id: 'velocity-count-1h',
  reasonCode: 'VELOCITY_COUNT_1H',
  summary: 'Many more transactions within an hour than this account usually makes.',
  features: ['count_1h', 'usual_1h'],
  bounds: { timesUsual: 'least ratio to the usual number an hour' },
  measure(vector, bounds) {
    const now = count(vector) + 1;
    return now >= (bounds['timesUsual'] ?? 0) * usual(vector) ? now : Number.NaN;
  },
  detail: (vector) =>
    `${count(vector) + 1} transactions within an hour, usually ${usual(vector).toFixed(1)}`,
};
