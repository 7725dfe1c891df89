import { merchantBurst } from '../../../../../../src/core/score/rules/catalogue/merchant-burst.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(merchantBurst, {
  fires: { merchant_count_1h: 39, merchant_usual_1h: 2, merchant_count_30d: 1500 },
  measures: 20,
  detail: '40 transactions at this merchant this hour, usually 2.0',
  silent: {
    'few transactions': { merchant_count_1h: 8, merchant_usual_1h: 0.2 },
    'no past to compare with': { merchant_count_30d: 99 },
    'usual for this merchant': { merchant_usual_1h: 10 },
    'nothing before today': { merchant_usual_1h: 0 },
  },
  needs: ['merchant_count_1h', 'merchant_usual_1h', 'merchant_count_30d'],
});
