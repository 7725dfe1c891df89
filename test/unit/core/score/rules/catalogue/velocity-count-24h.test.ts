import { velocityCount24h } from '../../../../../../src/core/score/rules/catalogue/velocity-count-24h.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(velocityCount24h, {
  fires: { count_24h: 11, usual_24h: 1.5, span_days: 40 },
  measures: 12,
  detail: '12 transactions within 24 hours, usually 1.5',
  silent: {
    'below the first band': { count_24h: 4 },
    'an account that is always this busy': { usual_24h: 6 },
    'too young to have a usual day': { span_days: 2 },
  },
  needs: ['count_24h', 'usual_24h', 'span_days'],
});
