/**
 * Catches an account used by somebody else through the day: many transactions within 24 hours.
 * Measures the transactions of the last 24 hours, this one included, where they are a multiple of the
 * account's usual day. Known false positive: the days before a holiday.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const count = featureOf('count_24h');
const usual = featureOf('usual_24h');
const span = featureOf('span_days');

export const velocityCount24h: Rule = {
  id: 'velocity-count-24h',
  reasonCode: 'VELOCITY_COUNT_24H',
  summary: 'Many more transactions within a day than this account usually makes.',
  features: ['count_24h', 'usual_24h', 'span_days'],
  bounds: {
    timesUsual: 'least ratio to the usual number a day',
    spanDays: 'days of history needed to speak of a usual day',
  },
  measure(vector, bounds) {
    if (!(span(vector) >= (bounds['spanDays'] ?? 0))) return Number.NaN;
    const now = count(vector) + 1;
    return now >= (bounds['timesUsual'] ?? 0) * usual(vector) ? now : Number.NaN;
  },
  detail: (vector) =>
    `${count(vector) + 1} transactions within 24 hours, usually ${usual(vector).toFixed(1)}`,
};
