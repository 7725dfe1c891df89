import { dormantAccount } from '../../../../../../src/core/score/rules/catalogue/dormant-account.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(dormantAccount, {
  fires: { gap_hours: 60 * 24, span_days: 90, siblings: 16, amount_to_median: 2 },
  measures: 60,
  detail: 'First transaction after 60 days, usually one every 2.0',
  silent: {
    'a short pause': { gap_hours: 29 * 24 },
    'an account that always pauses': { siblings: 3 },
    'a small amount': { amount_to_median: 0.5 },
  },
  needs: ['gap_hours', 'span_days', 'siblings'],
});
