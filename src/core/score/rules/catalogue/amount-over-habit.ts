/**
 * Catches a stolen account or card that is emptied: an amount far above the account's own habit.
 * Measures the amount by the 90th percentile of its siblings (ratio): an account that spends unevenly
 * is given more room, and a few raised amounts do not move it. Only where it is a multiple of the
 * median as well. Known false positive: a rare large purchase, as rent or a journey.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const toUpper = featureOf('amount_to_p90');
const ratio = featureOf('amount_to_median');
const zscore = featureOf('amount_zscore');
const amounts = featureOf('amounts');
const median = featureOf('median');
const amount = featureOf('amount');

export const amountOverHabit: Rule = {
  id: 'amount-over-habit',
  reasonCode: 'AMOUNT_OVER_HABIT',
  summary: "The amount is far above the account's own habit.",
  features: ['amount_to_p90', 'amount_to_median', 'amount_zscore', 'amounts', 'median', 'amount'],
  bounds: {
    amounts: 'same-currency siblings needed to speak of a habit',
    toMedian: 'least ratio to the median',
    zscore: 'least standard deviations above the mean of 30 days, where they spread at all',
  },
  measure(vector, bounds) {
    if (!(amounts(vector) >= (bounds['amounts'] ?? 0))) return Number.NaN;
    if (!(ratio(vector) >= (bounds['toMedian'] ?? 0))) return Number.NaN;
    return zscore(vector) < (bounds['zscore'] ?? 0) ? Number.NaN : toUpper(vector);
  },
  detail: (vector) =>
    `Amount ${amount(vector).toFixed(2)} is ${ratio(vector).toFixed(1)} times this account's usual ${median(vector).toFixed(2)}`,
};
