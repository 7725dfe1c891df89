import { burstAcrossMerchants } from '../../../../../../src/core/score/rules/catalogue/burst-across-merchants.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(burstAcrossMerchants, {
  fires: { merchants_1h: 5, first_merchant: 1, usual_1h: 0.2 },
  measures: 6,
  detail: '6 different merchants within an hour',
  silent: {
    'few merchants': { merchants_1h: 2 },
    'an account that is always this busy': { usual_1h: 2 },
  },
  needs: ['merchants_1h', 'usual_1h'],
});
