import { expect, test } from 'vitest';
import { accountFraud } from '../../../../../../src/core/score/rules/catalogue/account-fraud.ts';
import { makeVector } from '../../vector.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(accountFraud, {
  fires: { young_frauds: 1, fraud_rate_30d: 0, amount_to_median: 2.5 },
  measures: 2.5,
  detail: 'The account had a known fraud lately, and the amount is 2.5 times its median',
  silent: {
    'no known fraud': { young_frauds: 0 },
    'a usual amount': { amount_to_median: 0.9 },
  },
  needs: ['young_frauds', 'amount_to_median'],
});

test('a matured fraud counts as a young one does', () => {
  const vector = makeVector({ young_frauds: 0, fraud_rate_30d: 0.1, amount_to_median: 2.5 });
  expect(accountFraud.measure(vector, {})).toBe(2.5);
});
