import { velocitySum24h } from '../../../../../../src/core/score/rules/catalogue/velocity-sum-24h.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(velocitySum24h, {
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
