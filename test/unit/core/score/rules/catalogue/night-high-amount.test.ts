import { nightHighAmount } from '../../../../../../src/core/score/rules/catalogue/night-high-amount.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(nightHighAmount, {
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
