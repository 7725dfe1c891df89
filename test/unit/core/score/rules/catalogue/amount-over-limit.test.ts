import { amountOverLimit } from '../../../../../../src/core/score/rules/catalogue/amount-over-limit.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(amountOverLimit, {
  fires: { amount_to_limit: 1, amount: 10_000 },
  measures: 1,
  detail: 'Amount 10000.00 is 1.0 times the reporting limit',
  silent: { 'just below the limit': { amount_to_limit: 0.999999 } },
  needs: ['amount_to_limit'],
});
