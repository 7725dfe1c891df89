import { merchantFraudRate } from '../../../../../../src/core/score/rules/catalogue/merchant-fraud-rate.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(merchantFraudRate, {
  fires: { merchant_matured_30d: 20, merchant_fraud_rate_30d: 0.125 },
  measures: 0.125,
  detail: "12.5 % of this merchant's transactions with known labels were fraud",
  silent: {
    'too few to speak of a rate': { merchant_matured_30d: 19 },
    'hardly any fraud': { merchant_fraud_rate_30d: 0.09 },
  },
  needs: ['merchant_matured_30d', 'merchant_fraud_rate_30d'],
});
