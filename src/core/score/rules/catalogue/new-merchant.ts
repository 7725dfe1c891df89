/**
 * Catches a stolen card tried at a shop its holder never used. Measures the amount by the account's
 * median (ratio) at a merchant seen for the first time, by an account with a history. Known false
 * positive: people do go to new shops, so only raised amounts fire.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const first = featureOf('first_merchant');
const siblings = featureOf('siblings');
const ratio = featureOf('amount_to_median');

export const newMerchant: Rule = {
  id: 'new-merchant',
  reasonCode: 'NEW_MERCHANT',
  summary: 'A raised amount at a merchant this account never paid before.',
  features: ['first_merchant', 'siblings', 'amount_to_median'],
  bounds: { siblings: 'siblings needed to speak of a first time' },
  measure(vector, bounds) {
    if (first(vector) !== 1 || !(siblings(vector) >= (bounds['siblings'] ?? 0))) return Number.NaN;
    return ratio(vector);
  },
  detail: (vector) =>
    `First payment to this merchant among ${siblings(vector)} transactions, ${ratio(vector).toFixed(1)} times the usual amount`,
};
