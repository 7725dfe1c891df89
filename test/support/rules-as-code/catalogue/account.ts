/** Rules on what the account did before: how often, where, by which device. */
import { type FeatureName, featureOf } from '../../../../src/core/domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const siblings = featureOf('siblings');
const spanDays = featureOf('span_days');
const toMedian = featureOf('amount_to_median');
const firstMerchant = featureOf('first_merchant');
const count1h = featureOf('count_1h');
const usual1h = featureOf('usual_1h');

/** Measures the transactions of an hour, this one included. Known false positive: a batch of invoices paid in one sitting. */
export const velocityCount1h: Rule = {
  id: 'velocity-count-1h',
  reasonCode: 'VELOCITY_COUNT_1H',
  summary: 'Many more transactions within an hour than this account usually makes.',
  features: ['count_1h', 'usual_1h'],
  bounds: { timesUsual: 'least ratio to the usual number an hour' },
  measure(vector, bounds) {
    const now = count1h(vector) + 1;
    return now >= (bounds['timesUsual'] ?? 0) * usual1h(vector) ? now : Number.NaN;
  },
  detail: (vector) =>
    `${count1h(vector) + 1} transactions within an hour, usually ${usual1h(vector).toFixed(1)}`,
};

const count24h = featureOf('count_24h');
const usual24h = featureOf('usual_24h');

/** Measures the transactions of 24 hours, this one included. Known false positive: the days before a holiday. */
export const velocityCount24h: Rule = {
  id: 'velocity-count-24h',
  reasonCode: 'VELOCITY_COUNT_24H',
  summary: 'Many more transactions within a day than this account usually makes.',
  features: ['count_24h', 'usual_24h', 'span_days'],
  bounds: {
    timesUsual: 'least ratio to the usual number a day',
    spanDays: 'days of history needed to speak of a usual day',
  },
  measure(vector, bounds) {
    if (!(spanDays(vector) >= (bounds['spanDays'] ?? 0))) return Number.NaN;
    const now = count24h(vector) + 1;
    return now >= (bounds['timesUsual'] ?? 0) * usual24h(vector) ? now : Number.NaN;
  },
  detail: (vector) =>
    `${count24h(vector) + 1} transactions within 24 hours, usually ${usual24h(vector).toFixed(1)}`,
};

const merchants1h = featureOf('merchants_1h');
/** Distinct merchants of the hour; a merchant never seen is certainly none of them. */
const merchantsNow = (vector: Float64Array) =>
  merchants1h(vector) + (firstMerchant(vector) === 1 ? 1 : 0);

/** Measures the distinct merchants of an hour. Known false positive: market places that settle each seller apart. */
export const burstAcrossMerchants: Rule = {
  id: 'burst-across-merchants',
  reasonCode: 'BURST_ACROSS_MERCHANTS',
  summary: 'Many different merchants within an hour.',
  features: ['merchants_1h', 'first_merchant', 'usual_1h'],
  bounds: { timesUsual: 'least ratio to the usual number of transactions an hour' },
  measure(vector, bounds) {
    const now = merchantsNow(vector);
    return now >= (bounds['timesUsual'] ?? 0) * usual1h(vector) ? now : Number.NaN;
  },
  detail: (vector) => `${merchantsNow(vector)} different merchants within an hour`,
};

const gapHours = featureOf('gap_hours');
/** Mean pause between its siblings. */
const usualPauseDays = (vector: Float64Array) =>
  (spanDays(vector) - gapHours(vector) / 24) / (siblings(vector) - 1);

/**
 * Measures the days since the newest sibling, where they are many times the usual pause and the amount is not below the
 * account's habit. Known false positive: seasonal use, as a yearly subscription.
 */
export const dormantAccount: Rule = {
  id: 'dormant-account',
  reasonCode: 'DORMANT_ACCOUNT',
  summary: 'An account wakes after a pause that is long by its own measure.',
  features: ['gap_hours', 'span_days', 'siblings', 'amount_to_median'],
  bounds: {
    siblings: 'siblings needed to speak of a usual pause',
    timesPause: 'least ratio to the usual pause',
    toMedian: 'least ratio of the amount to the median, where there is one',
  },
  measure(vector, bounds) {
    if (!(siblings(vector) >= (bounds['siblings'] ?? 0))) return Number.NaN;
    if (toMedian(vector) < (bounds['toMedian'] ?? 0)) return Number.NaN;
    const gapDays = gapHours(vector) / 24;
    return gapDays >= (bounds['timesPause'] ?? 0) * usualPauseDays(vector) ? gapDays : Number.NaN;
  },
  detail: (vector) =>
    `First transaction after ${(gapHours(vector) / 24).toFixed(0)} days, usually one every ${usualPauseDays(vector).toFixed(1)}`,
};

const changeHours = featureOf('country_change_hours');

/**
 * Measures how many hours of a journey are missing since the newest sibling in another country. Known false positive: a VPN, a
 * card used online abroad.
 */
export const impossibleTravel: Rule = {
  id: 'impossible-travel',
  reasonCode: 'IMPOSSIBLE_TRAVEL',
  summary: 'Another country sooner than anybody could have travelled there.',
  features: ['country_change_hours'],
  bounds: { journeyHours: 'shortest believable journey between two countries, hours' },
  measure: (vector, bounds) => (bounds['journeyHours'] ?? 0) - changeHours(vector),
  detail: (vector) => `Another country ${changeHours(vector).toFixed(1)} hours after the last one`,
};

/** Measures the amount by the account's median. Known false positive: people do go to new shops, so only raised amounts fire. */
export const newMerchant: Rule = {
  id: 'new-merchant',
  reasonCode: 'NEW_MERCHANT',
  summary: 'A raised amount at a merchant this account never paid before.',
  features: ['first_merchant', 'siblings', 'amount_to_median'],
  bounds: { siblings: 'siblings needed to speak of a first time' },
  measure(vector, bounds) {
    const isKnown = siblings(vector) >= (bounds['siblings'] ?? 0);
    return firstMerchant(vector) === 1 && isKnown ? toMedian(vector) : Number.NaN;
  },
  detail: (vector) =>
    `First payment to this merchant among ${siblings(vector)} transactions, ${toMedian(vector).toFixed(1)} times the usual amount`,
};

/** A rule that measures how many siblings without it stand against what this transaction has for the first time. */
function firstTime(what: string, feature: FeatureName, summary: string, sentence: string): Rule {
  const first = featureOf(feature);
  return {
    id: `new-${what}`,
    reasonCode: `NEW_${what.toUpperCase()}`,
    summary,
    features: [feature, 'siblings'],
    bounds: {},
    measure: (vector) => (first(vector) === 1 ? siblings(vector) : Number.NaN),
    detail: (vector) => `${sentence} among ${siblings(vector)} transactions`,
  };
}

/** Known false positive: a relative moves, a first remittance. */
export const newCorridor = firstTime(
  'corridor',
  'first_corridor',
  'This account never sent along this corridor before.',
  'First transfer along this corridor',
);
/** Known false positive: travel. */
export const newCountry = firstTime(
  'country',
  'first_country',
  'This account was never used from this country before.',
  'First use from this country',
);
/** Known false positive: a new phone, so the weight is small; with a new country or a raised amount it adds up. */
export const newDevice = firstTime(
  'device',
  'first_device',
  'This account never used this device before.',
  'First use of this device',
);

const youngFrauds = featureOf('young_frauds');
const fraudRate = featureOf('fraud_rate_30d');

/** Measures the amount by the median. Known false positive: the owner's first larger purchase with a new card. */
export const accountFraud: Rule = {
  id: 'account-fraud',
  reasonCode: 'ACCOUNT_FRAUD',
  summary: "The account had a known fraud lately, and the amount is above the account's median.",
  features: ['young_frauds', 'fraud_rate_30d', 'amount_to_median'],
  bounds: {},
  measure: (vector) =>
    youngFrauds(vector) > 0 || fraudRate(vector) > 0 ? toMedian(vector) : Number.NaN,
  detail: (vector) =>
    `The account had a known fraud lately, and the amount is ${toMedian(vector).toFixed(1)} times its median`,
};
