import { amountOverHabit } from '../../../../../../src/core/score/rules/catalogue/amount-over-habit.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(amountOverHabit, {
  fires: {
    amount_to_p90: 2.5,
    amount_to_median: 4.8,
    amount_zscore: 5,
    amounts: 40,
    median: 50,
    amount: 240,
  },
  measures: 2.5,
  detail: "Amount 240.00 is 4.8 times this account's usual 50.00",
  silent: {
    'too few amounts for a habit': { amounts: 4 },
    'not a multiple of the median': { amount_to_median: 1.99 },
    'near the upper end of the habit': { amount_to_p90: 1.19 },
    'within the spread of the last month': { amount_zscore: 0.5 },
  },
  needs: ['amount_to_p90', 'amount_to_median', 'amounts'],
});
