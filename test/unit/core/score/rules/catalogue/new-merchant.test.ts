import { newMerchant } from '../../../../../../src/core/score/rules/catalogue/new-merchant.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(newMerchant, {
  fires: { first_merchant: 1, siblings: 40, amount_to_median: 5 },
  measures: 5,
  detail: 'First payment to this merchant among 40 transactions, 5.0 times the usual amount',
  silent: {
    'a known merchant': { first_merchant: 0 },
    'too few siblings': { siblings: 14 },
    'a usual amount': { amount_to_median: 1 },
  },
  needs: ['first_merchant', 'siblings', 'amount_to_median'],
});
