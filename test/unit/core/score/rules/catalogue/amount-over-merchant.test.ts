import { amountOverMerchant } from '../../../../../../src/core/score/rules/catalogue/amount-over-merchant.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(amountOverMerchant, {
  fires: {
    amount_to_merchant_mean: 6,
    merchant_amounts_30d: 120,
    merchant_mean_30d: 40,
    amount_to_median: 3,
    amount: 240,
  },
  measures: 6,
  detail: "Amount 240.00 is 6.0 times this merchant's usual 40.00",
  silent: {
    'too few amounts at the merchant': { merchant_amounts_30d: 19 },
    'an account used to such amounts': { amount_to_median: 1.5 },
    'below the first band': { amount_to_merchant_mean: 2.99 },
  },
  needs: ['amount_to_merchant_mean', 'merchant_amounts_30d'],
});
