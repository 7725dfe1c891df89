import { merchantFraudRun } from '../../../../../../src/core/score/rules/catalogue/merchant-fraud-run.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(merchantFraudRun, {
  fires: { merchant_run_days: 9.4, merchant_ordinary_rate_7d: 0.75 },
  measures: 0.75,
  detail: 'Since 9 days ago most transactions at this merchant with known labels were fraud',
  silent: {
    'a run that began long ago': { merchant_run_days: 28.1 },
    'few of the last days': { merchant_ordinary_rate_7d: 0.09 },
  },
  needs: ['merchant_run_days', 'merchant_ordinary_rate_7d'],
});
