import { describeRule } from './describe-rule.ts';

describeRule('amount-over-habit', {
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

describeRule('amount-over-limit', {
  fires: { amount_to_limit: 1, amount: 10_000 },
  measures: 1,
  detail: 'Amount 10000.00 is 1.0 times the reporting limit',
  silent: { 'just below the limit': { amount_to_limit: 0.999999 } },
  needs: ['amount_to_limit'],
});

describeRule('amount-over-merchant', {
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

describeRule('night-high-amount', {
  fires: { night: 1, night_share: 0.02, amounts: 50, amount_to_median: 5 },
  measures: 5,
  detail: '5.0 times the usual amount at night, when 2 % of its transactions are',
  silent: {
    'by day': { night: 0 },
    'an account that wakes at night': { night_share: 0.2 },
    'a usual amount': { amount_to_median: 1.2 },
    'too few amounts': { amounts: 9 },
  },
  needs: ['night', 'night_share', 'amounts', 'amount_to_median'],
});

describeRule('structuring', {
  fires: { near_limit_72h: 2, amount_to_limit: 0.95 },
  measures: 3,
  detail: '3 amounts just below the reporting limit within 72 hours',
  silent: {
    'no other near the limit': { near_limit_72h: 0 },
    'an amount at the limit': { amount_to_limit: 1 },
    'an amount far below': { amount_to_limit: 0.79 },
  },
  needs: ['near_limit_72h', 'amount_to_limit'],
});

describeRule('velocity-sum-24h', {
  fires: { sum_24h_to_usual: 12, sum_24h: 900, count_24h: 3, amounts: 30, amount: 300 },
  measures: 12,
  detail: '1200.00 within 24 hours, 12.0 times a usual day',
  silent: {
    'one single amount': { count_24h: 0 },
    'too few amounts': { amounts: 9 },
    'below the first band': { sum_24h_to_usual: 5.9 },
  },
  needs: ['sum_24h_to_usual', 'count_24h', 'amounts'],
});

describeRule('amount-beyond-corridor', {
  fires: { amount_to_corridor: 10, amount: 99_000 },
  measures: 10,
  detail:
    'Amount 99000.00 is 10.0 times what 9,999 of 10,000 amounts in its corridor do not exceed',
  silent: { 'just below ten times': { amount_to_corridor: 9.999999 } },
  needs: ['amount_to_corridor'],
});
