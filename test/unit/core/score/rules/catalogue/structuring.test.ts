import { structuring } from '../../../../../../src/core/score/rules/catalogue/structuring.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(structuring, {
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
