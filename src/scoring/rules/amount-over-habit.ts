/**
 * Catches a stolen account or card that is emptied: an amount far above the account's own habit.
 * Measures the amount by the median of its siblings (ratio), which a few raised amounts do not move;
 * only where it also exceeds their 90th percentile and, if they spread at all, lies far out in standard
 * deviations. Known false positive: a rare large purchase, as rent or a journey.
 */
import { featureOf } from '../feature-schema.ts';
import type { Rule } from '../rule.ts';

const ratio = featureOf('amount_to_median');
const toUpper = featureOf('amount_to_p90');
const zscore = featureOf('amount_zscore');
const amounts = featureOf('amounts');
const median = featureOf('median');
const amount = featureOf('amount');

export const amountOverHabit: Rule = {
  id: 'amount-over-habit',
  reasonCode: 'AMOUNT_OVER_HABIT',
  summary: "The amount is far above the account's own habit.",
  features: ['amount_to_median', 'amount_to_p90', 'amount_zscore', 'amounts', 'median', 'amount'],
  bounds: {
    amounts: 'same-currency siblings needed to speak of a habit',
    toUpper: 'least ratio to the 90th percentile',
    zscore: 'least standard deviations above the mean of 30 days',
  },
  measure(vector, bounds) {
    if (!(amounts(vector) >= (bounds['amounts'] ?? 0))) return Number.NaN;
    if (!(toUpper(vector) >= (bounds['toUpper'] ?? 0))) return Number.NaN;
    if (zscore(vector) < (bounds['zscore'] ?? 0)) return Number.NaN;
    return ratio(vector);
  },
  detail: (vector) =>
    `Amount ${amount(vector).toFixed(2)} is ${ratio(vector).toFixed(1)} times this account's usual ${median(vector).toFixed(2)}`,
};
