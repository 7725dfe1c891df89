import { merchantFanIn } from '../../../../../../src/core/score/rules/catalogue/merchant-fan-in.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(merchantFanIn, {
  fires: { merchant_accounts_1h: 15, merchant_usual_1h: 0.5 },
  measures: 15,
  detail: '15 different accounts paid this merchant this hour',
  silent: {
    'few accounts': { merchant_accounts_1h: 7 },
    'usual for this merchant': { merchant_usual_1h: 2 },
  },
  needs: ['merchant_accounts_1h', 'merchant_usual_1h'],
});
