/**
 * Goal: each feature has its index and meaning of the schema. Method: one known history, by the oracle that
 * test/property/profile/history.test.ts compares with the rows of workers.
 */
import { describe, expect, test } from 'vitest';
import {
  FEATURE_COUNT,
  FEATURE_LIST,
  featureIndex,
} from '../../../../src/core/domain/feature-schema.ts';
import type { Transaction } from '../../../../src/core/domain/transaction.ts';
import { named } from '../../../support/fold-one.ts';
import { features } from '../../../support/oracle/features.ts';
import type { AccountHistory, MerchantHistory } from '../../../support/oracle/histories.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const transaction: Transaction = {
  transactionId: '019ab0e7-7c00-7000-8000-000000000001',
  // A Saturday.
  createdAtMs: Date.UTC(2026, 10, 21, 3, 59, 59, 999),
  receivedAtMs: Date.UTC(2026, 10, 21, 4),
  accountId: 'acc_1',
  merchantId: 'm_1',
  amount: '500',
  currency: 'USD',
  corridor: 'US-EG',
  type: null,
  ip: null,
  deviceId: 'phone',
  country: 'FR',
  channel: null,
  declared: null,
};
const account: AccountHistory = {
  siblings: 20,
  spanMs: 10 * DAY_MS,
  count1h: 2,
  count24h: 4,
  count7d: 12,
  count30d: 20,
  sum1h: 3000,
  sum24h: 10_000,
  sum7d: 60_000,
  sum30d: 100_000,
  amounts30d: 20,
  mean30d: 5000,
  deviation30d: 1500,
  max30d: 9000,
  amounts: 20,
  median: 4000,
  p90: 8000,
  nearLimit72h: 0,
  distinctMerchants1h: 2,
  distinctMerchants24h: 3,
  firstMerchant: 1,
  firstCorridor: 0,
  firstCountry: 1,
  firstDevice: 0,
  gapMs: HOUR_MS / 2,
  countryChangeMs: HOUR_MS,
  nightShare: 0.1,
  amounts24h: 3,
  amounts7d: 11,
  meanSeen: 4500,
  max7d: 8000,
  max14d: 16_000,
  large14d: 1,
  fraudRate7d: 0.1,
  fraudRate30d: 0.2,
  fraudRate90d: 0.3,
  youngFrauds: 2,
};
const merchant: MerchantHistory = {
  count1h: 5,
  count24h: 54,
  count7d: 200,
  count30d: 750,
  amounts30d: 600,
  mean30d: 2500,
  distinctAccounts1h: 4,
  gapMs: HOUR_MS / 4,
  matured24h: 6,
  matured7d: 40,
  matured30d: 150,
  fraudRate24h: 0.5,
  fraudRate7d: 0.4,
  fraudRate30d: 0.25,
  fraudRate90d: 0.125,
  ordinaryRate7d: 0.375,
  youngFrauds: 3,
  runMs: 2 * DAY_MS,
  firstFraudMs: 5 * DAY_MS,
  firstFraudShare: 0.75,
};

describe('features', () => {
  test('of a known history', () => {
    expect(named(features(transaction, account, merchant))).toEqual({
      amount: 500,
      amount_log: 6.214608098422191,
      amount_to_limit: 0.05,
      round_amount: 1,
      hour: 3,
      weekday: 5,
      weekend: 1,
      night: 1,
      cross_border: 1,
      off_corridor: 1,
      device_absent: 0,
      country_absent: 0,
      ip_absent: 1,
      siblings: 20,
      span_days: 10,
      count_1h: 2,
      count_24h: 4,
      count_7d: 12,
      count_30d: 20,
      usual_1h: 20 / 240,
      usual_24h: 2,
      sum_1h: 30,
      sum_24h: 100,
      sum_7d: 600,
      sum_30d: 1000,
      sum_24h_to_usual: 6,
      sum_24h_to_limit: 0.06,
      amounts: 20,
      median: 40,
      amount_to_median: 12.5,
      amount_to_p90: 6.25,
      mean_30d: 50,
      deviation_30d: 15,
      max_30d: 90,
      amount_to_mean: 10,
      amount_zscore: 30,
      near_limit_72h: 0,
      merchants_1h: 2,
      merchants_24h: 3,
      first_merchant: 1,
      first_corridor: 0,
      first_country: 1,
      first_device: 0,
      gap_hours: 0.5,
      country_change_hours: 1,
      night_share: 0.1,
      merchant_count_1h: 5,
      merchant_count_24h: 54,
      merchant_count_7d: 200,
      merchant_count_30d: 750,
      merchant_usual_1h: 1,
      merchant_amounts_30d: 600,
      merchant_mean_30d: 25,
      amount_to_merchant_mean: 20,
      merchant_accounts_1h: 4,
      mean_24h_here: 150,
      mean_7d_here: 110_000 / 12 / 100,
      mean_30d_here: 150_000 / 21 / 100,
      mean_seen: 45,
      amount_to_mean_seen: 500 / 45,
      amount_to_max_30d: 500 / 90,
      max_7d_to_median: 2,
      max_14d_to_median: 4,
      large_14d: 1,
      fraud_rate_7d: 0.1,
      fraud_rate_30d: 0.2,
      fraud_rate_90d: 0.3,
      young_frauds: 2,
      merchant_gap_hours: 0.25,
      merchant_matured_24h: 6,
      merchant_matured_7d: 40,
      merchant_matured_30d: 150,
      merchant_fraud_rate_24h: 0.5,
      merchant_fraud_rate_7d: 0.4,
      merchant_fraud_rate_30d: 0.25,
      merchant_fraud_rate_90d: 0.125,
      merchant_ordinary_rate_7d: 0.375,
      merchant_young_frauds: 3,
      merchant_run_days: 2,
      merchant_first_fraud_days: 5,
      merchant_first_fraud_share: 0.75,
      amount_to_corridor: Number.NaN,
    });
  });

  test('fills the vector it is given', () => {
    const out = new Float64Array(FEATURE_COUNT);
    expect(features(transaction, account, merchant, out)).toBe(out);
    expect(out).toEqual(features(transaction, account, merchant));
  });

  test.each([
    ['125.5', 'USD', 125.5, 0.01255],
    ['1000', 'JPY', 1000, 0.001],
    ['1.005', 'KWD', 1.005, Number.NaN],
  ])('counts %s %s in units of its own currency', (amount, currency, units, toLimit) => {
    const vector = named(features({ ...transaction, amount, currency }, account, merchant));
    expect([vector.amount, vector.amount_to_limit]).toEqual([units, toLimit]);
  });

  test.each([
    ['1970-01-01T00:00:00.000Z', 3, 0],
    ['2026-11-23T12:00:00.000Z', 0, 12],
    ['2026-11-22T23:59:59.999Z', 6, 23],
  ])('takes the hour and weekday of %s in UTC', (time, weekday, hour) => {
    const vector = features({ ...transaction, createdAtMs: Date.parse(time) }, account, merchant);
    expect([vector[featureIndex('weekday')], vector[featureIndex('hour')]]).toEqual([
      weekday,
      hour,
    ]);
  });

  test('is missing, never zero, where there is nothing to tell from', () => {
    const stranger = {
      ...account,
      siblings: 0,
      spanMs: Number.NaN,
      sum30d: 0,
      deviation30d: Number.NaN,
      median: Number.NaN,
    };
    const vector = named(features({ ...transaction, country: null }, stranger, merchant));
    for (const name of [
      'usual_1h',
      'usual_24h',
      'sum_24h_to_usual',
      'amount_to_median',
      'amount_zscore',
      'off_corridor',
    ] as const) {
      expect([name, vector[name]]).toEqual([name, Number.NaN]);
    }
  });
});

describe('feature schema', () => {
  test('has each name once, with a unit and a sentence', () => {
    expect(new Set(FEATURE_LIST.map((feature) => feature.name)).size).toBe(FEATURE_COUNT);
    for (const { name, unit, description } of FEATURE_LIST) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(unit).not.toBe('');
      expect(description).toMatch(/\.$/);
    }
  });
});
