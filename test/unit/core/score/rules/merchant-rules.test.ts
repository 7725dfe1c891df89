import { describeRule } from './describe-rule.ts';

describeRule('merchant-burst', {
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

describeRule('merchant-fan-in', {
  fires: { merchant_accounts_1h: 15, merchant_usual_1h: 0.5 },
  measures: 15,
  detail: '15 different accounts paid this merchant this hour',
  silent: {
    'few accounts': { merchant_accounts_1h: 7 },
    'usual for this merchant': { merchant_usual_1h: 2 },
  },
  needs: ['merchant_accounts_1h', 'merchant_usual_1h'],
});

describeRule('merchant-fraud-rate', {
  fires: { merchant_matured_30d: 20, merchant_fraud_rate_30d: 0.125 },
  measures: 0.125,
  detail: "12.5 % of this merchant's transactions with known labels were fraud",
  silent: {
    'too few to speak of a rate': { merchant_matured_30d: 19 },
    'hardly any fraud': { merchant_fraud_rate_30d: 0.09 },
  },
  needs: ['merchant_matured_30d', 'merchant_fraud_rate_30d'],
});

describeRule('merchant-fraud-run', {
  fires: { merchant_run_days: 9.4, merchant_ordinary_rate_7d: 0.75 },
  measures: 0.75,
  detail: 'Since 9 days ago most transactions at this merchant with known labels were fraud',
  silent: {
    'a run that began long ago': { merchant_run_days: 28.1 },
    'few of the last days': { merchant_ordinary_rate_7d: 0.09 },
  },
  needs: ['merchant_run_days', 'merchant_ordinary_rate_7d'],
});
