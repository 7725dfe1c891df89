/**
 * Catches a stolen card spent in one go where others spend little: an amount far above what the
 * merchant usually takes. Measures the amount by the merchant's mean of 30 days (ratio). Known false
 * positive: merchants that sell cheap and dear things; an account used to such amounts is left out.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const ratio = featureOf('amount_to_merchant_mean');
const merchantAmounts = featureOf('merchant_amounts_30d');
const merchantMean = featureOf('merchant_mean_30d');
const toMedian = featureOf('amount_to_median');
const amount = featureOf('amount');

export const amountOverMerchant: Rule = {
  id: 'amount-over-merchant',
  reasonCode: 'AMOUNT_OVER_MERCHANT',
  summary: 'The amount is far above what this merchant usually takes.',
  features: [
    'amount_to_merchant_mean',
    'merchant_amounts_30d',
    'merchant_mean_30d',
    'amount_to_median',
    'amount',
  ],
  bounds: {
    amounts: 'same-currency siblings of the merchant needed to speak of a usual amount',
    toMedian: "least ratio to the account's own median, where it has one",
  },
  measure(vector, bounds) {
    if (!(merchantAmounts(vector) >= (bounds['amounts'] ?? 0))) return Number.NaN;
    if (toMedian(vector) < (bounds['toMedian'] ?? 0)) return Number.NaN;
    return ratio(vector);
  },
  detail: (vector) =>
    `Amount ${amount(vector).toFixed(2)} is ${ratio(vector).toFixed(1)} times this merchant's usual ${merchantMean(vector).toFixed(2)}`,
};
