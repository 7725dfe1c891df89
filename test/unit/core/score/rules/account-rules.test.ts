import { expect, test } from 'vitest';
import { makeVector } from '../vector.ts';
import { currentMeasure, describeRule } from './describe-rule.ts';

describeRule('account-fraud', {
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
  expect(currentMeasure('account-fraud', vector)).toBe(2.5);
});

describeRule('burst-across-merchants', {
  fires: { merchants_1h: 5, first_merchant: 1, usual_1h: 0.2 },
  measures: 6,
  detail: '6 different merchants within an hour',
  silent: {
    'few merchants': { merchants_1h: 2 },
    'an account that is always this busy': { usual_1h: 2 },
  },
  needs: ['merchants_1h', 'usual_1h'],
});

describeRule('dormant-account', {
  fires: { gap_hours: 60 * 24, span_days: 90, siblings: 16, amount_to_median: 2 },
  measures: 60,
  detail: 'First transaction after 60 days, usually one every 2.0',
  silent: {
    'a short pause': { gap_hours: 29 * 24 },
    'an account that always pauses': { siblings: 3 },
    'a small amount': { amount_to_median: 0.5 },
  },
  needs: ['gap_hours', 'span_days', 'siblings'],
});

describeRule('impossible-travel', {
  fires: { country_change_hours: 0.5 },
  measures: 2.5,
  detail: 'Another country 0.5 hours after the last one',
  silent: { 'time enough for the journey': { country_change_hours: 2.6 } },
  needs: ['country_change_hours'],
});

describeRule('new-corridor', {
  fires: { first_corridor: 1, siblings: 30 },
  measures: 30,
  detail: 'First transfer along this corridor among 30 transactions',
  silent: { 'a known corridor': { first_corridor: 0 }, 'too few siblings': { siblings: 4 } },
  needs: ['first_corridor', 'siblings'],
});

describeRule('new-country', {
  fires: { first_country: 1, siblings: 30 },
  measures: 30,
  detail: 'First use from this country among 30 transactions',
  silent: { 'a known country': { first_country: 0 }, 'too few siblings': { siblings: 4 } },
  needs: ['first_country', 'siblings'],
});

describeRule('new-device', {
  fires: { first_device: 1, siblings: 30 },
  measures: 30,
  detail: 'First use of this device among 30 transactions',
  silent: { 'a known device': { first_device: 0 }, 'too few siblings': { siblings: 4 } },
  needs: ['first_device', 'siblings'],
});

describeRule('new-merchant', {
  fires: { first_merchant: 1, siblings: 40, amount_to_median: 5 },
  measures: 5,
  detail: 'First payment to this merchant among 40 transactions, 5.0 times the usual amount',
  silent: {
    'a known merchant': { first_merchant: 0 },
    'too few siblings': { siblings: 14 },
    'a usual amount': { amount_to_median: 1 },
  },
  needs: ['first_merchant', 'siblings', 'amount_to_median'],
});

describeRule('velocity-count-1h', {
  fires: { count_1h: 5, usual_1h: 0.4 },
  measures: 6,
  detail: '6 transactions within an hour, usually 0.4',
  silent: {
    'below the first band': { count_1h: 2 },
    'an account that is always this busy': { usual_1h: 3 },
  },
  needs: ['count_1h', 'usual_1h'],
});

describeRule('velocity-count-24h', {
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
