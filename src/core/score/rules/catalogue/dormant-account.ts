/**
 * Catches a dormant account waking: taken over, or a mule put to use. Measures the days since the
 * newest sibling, where they are many times the account's usual pause and the amount is not below its
 * habit. Known false positive: seasonal use, as a yearly subscription.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const gapHours = featureOf('gap_hours');
const spanDays = featureOf('span_days');
const siblings = featureOf('siblings');
const ratio = featureOf('amount_to_median');

/** Mean pause between its siblings, in days. */
function usualPauseDays(vector: Float64Array): number {
  return (spanDays(vector) - gapHours(vector) / 24) / (siblings(vector) - 1);
}

export const dormantAccount: Rule = {
  id: 'dormant-account',
  reasonCode: 'DORMANT_ACCOUNT',
  summary: 'An account wakes after a pause that is long by its own measure.',
  features: ['gap_hours', 'span_days', 'siblings', 'amount_to_median'],
  bounds: {
    siblings: 'siblings needed to speak of a usual pause',
    timesPause: 'least ratio to the usual pause',
    toMedian: 'least ratio of the amount to the median, where there is one',
  },
  measure(vector, bounds) {
    if (!(siblings(vector) >= (bounds['siblings'] ?? 0))) return Number.NaN;
    if (ratio(vector) < (bounds['toMedian'] ?? 0)) return Number.NaN;
    const gapDays = gapHours(vector) / 24;
    return gapDays >= (bounds['timesPause'] ?? 0) * usualPauseDays(vector) ? gapDays : Number.NaN;
  },
  detail: (vector) =>
    `First transaction after ${(gapHours(vector) / 24).toFixed(0)} days, usually one every ${usualPauseDays(vector).toFixed(1)}`,
};
