import { velocityCount1h } from '../../../../../../src/core/score/rules/catalogue/velocity-count-1h.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(velocityCount1h, {
  fires: { count_1h: 5, usual_1h: 0.4 },
  measures: 6,
  detail: '6 transactions within an hour, usually 0.4',
  silent: {
    'below the first band': { count_1h: 2 },
    'an account that is always this busy': { usual_1h: 3 },
  },
  needs: ['count_1h', 'usual_1h'],
});
