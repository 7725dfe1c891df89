/** Rules on the amount of a transaction. */
import { featureOf } from '../../../../src/core/domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const amount = featureOf('amount');
const amounts = featureOf('amounts');
const amountToLimit = featureOf('amount_to_limit');
const toMedian = featureOf('amount_to_median');

/** Measures the amount in limits. Known false positive: businesses with such invoices, so the weight is small. */
export const amountOverLimit: Rule = {
  id: 'amount-over-limit',
  reasonCode: 'AMOUNT_OVER_LIMIT',
  summary: 'The amount reaches the reporting limit of its currency.',
  features: ['amount_to_limit', 'amount'],
  bounds: {},
  measure: amountToLimit,
  detail: (vector) =>
    `Amount ${amount(vector).toFixed(2)} is ${amountToLimit(vector).toFixed(1)} times the reporting limit`,
};

const toUpper = featureOf('amount_to_p90');
const zscore = featureOf('amount_zscore');
const median = featureOf('median');

/**
 * Measures the amount by the 90th percentile of its siblings, so that an account that spends unevenly is given more room.
 * Known false positive: a rare large purchase, as rent or a journey.
 */
export const amountOverHabit: Rule = {
  id: 'amount-over-habit',
  reasonCode: 'AMOUNT_OVER_HABIT',
  summary: 'The amount is far above the amounts that the account usually pays.',
  features: ['amount_to_p90', 'amount_to_median', 'amount_zscore', 'amounts', 'median', 'amount'],
  bounds: {
    amounts: 'same-currency siblings needed to speak of a habit',
    toMedian: 'least ratio to the median',
    zscore: 'least standard deviations above the mean of 30 days, where they spread at all',
  },
  measure(vector, bounds) {
    if (!(amounts(vector) >= (bounds['amounts'] ?? 0))) return Number.NaN;
    if (!(toMedian(vector) >= (bounds['toMedian'] ?? 0))) return Number.NaN;
    return zscore(vector) < (bounds['zscore'] ?? 0) ? Number.NaN : toUpper(vector);
  },
  detail: (vector) =>
    `Amount ${amount(vector).toFixed(2)} is ${toMedian(vector).toFixed(1)} times this account's usual ${median(vector).toFixed(2)}`,
};

const toMerchantMean = featureOf('amount_to_merchant_mean');
const merchantAmounts = featureOf('merchant_amounts_30d');
const merchantMean = featureOf('merchant_mean_30d');

/**
 * Measures the amount by the merchant's mean of 30 days; an account used to such amounts is left out. Known false positive:
 * merchants that sell cheap and dear things.
 */
export const amountOverMerchant: Rule = {
  id: 'amount-over-merchant',
  reasonCode: 'AMOUNT_OVER_MERCHANT',
  summary: 'The amount is far above what this merchant usually takes.',
  features: [
    'amount_to_merchant_mean',
    'merchant_amounts_30d',
    'merchant_mean_30d',
    'amount_to_median',
    'amount',
  ],
  bounds: {
    amounts: 'same-currency siblings of the merchant needed to speak of a usual amount',
    toMedian: "least ratio to the account's own median, where it has one",
  },
  measure(vector, bounds) {
    if (!(merchantAmounts(vector) >= (bounds['amounts'] ?? 0))) return Number.NaN;
    return toMedian(vector) < (bounds['toMedian'] ?? 0) ? Number.NaN : toMerchantMean(vector);
  },
  detail: (vector) =>
    `Amount ${amount(vector).toFixed(2)} is ${toMerchantMean(vector).toFixed(1)} times this merchant's usual ${merchantMean(vector).toFixed(2)}`,
};

const nearLimit = featureOf('near_limit_72h');

/**
 * Measures how many of the last 72 hours, this one included, lie in [0.8, 1) of the limit, where this one does. Known false
 * positive: regular invoices of that size.
 */
export const structuring: Rule = {
  id: 'structuring',
  reasonCode: 'STRUCTURING',
  summary: 'Several amounts just below the reporting limit within three days.',
  features: ['near_limit_72h', 'amount_to_limit'],
  bounds: { nearLimit: 'least ratio of the amount to the limit' },
  measure(vector, bounds) {
    const ratio = amountToLimit(vector);
    const isNear = ratio >= (bounds['nearLimit'] ?? 0) && ratio < 1;
    return isNear ? nearLimit(vector) + 1 : Number.NaN;
  },
  detail: (vector) =>
    `${nearLimit(vector) + 1} amounts just below the reporting limit within 72 hours`,
};

const night = featureOf('night');
const nightShare = featureOf('night_share');

/**
 * Measures the amount by the account's median, between 00:00 and 06:00 UTC. Known false positive: people east or west of their
 * usual time zone.
 */
export const nightHighAmount: Rule = {
  id: 'night-high-amount',
  reasonCode: 'NIGHT_HIGH_AMOUNT',
  summary: 'A raised amount at night by an account that sleeps at night.',
  features: ['night', 'night_share', 'amounts', 'amount_to_median'],
  bounds: {
    amounts: 'same-currency siblings needed to speak of a habit',
    nightShare: 'greatest share of siblings at night',
  },
  measure(vector, bounds) {
    if (night(vector) !== 1 || !(amounts(vector) >= (bounds['amounts'] ?? 0))) return Number.NaN;
    return nightShare(vector) <= (bounds['nightShare'] ?? 0) ? toMedian(vector) : Number.NaN;
  },
  detail: (vector) =>
    `${toMedian(vector).toFixed(1)} times the usual amount at night, when ${(nightShare(vector) * 100).toFixed(0)} % of its transactions are`,
};

const sumToUsual = featureOf('sum_24h_to_usual');
const sum = featureOf('sum_24h');
const count24h = featureOf('count_24h');

/**
 * Measures the same-currency sum of 24 hours, this amount included, by that of a usual day, where it takes at least two
 * transactions. Known false positive: moving house.
 */
export const velocitySum24h: Rule = {
  id: 'velocity-sum-24h',
  reasonCode: 'VELOCITY_SUM_24H',
  summary: 'Far more money within a day than this account usually moves.',
  features: ['sum_24h_to_usual', 'sum_24h', 'count_24h', 'amounts', 'amount'],
  bounds: {
    count: 'least siblings within the 24 hours',
    amounts: 'same-currency siblings needed to speak of a usual day',
  },
  measure(vector, bounds) {
    if (!(count24h(vector) >= (bounds['count'] ?? 0))) return Number.NaN;
    return amounts(vector) >= (bounds['amounts'] ?? 0) ? sumToUsual(vector) : Number.NaN;
  },
  detail: (vector) =>
    `${(sum(vector) + amount(vector)).toFixed(2)} within 24 hours, ${sumToUsual(vector).toFixed(1)} times a usual day`,
};

const toCorridor = featureOf('amount_to_corridor');

/**
 * Compares the amount with the 99.99th percentile of its corridor, so that an account without a history is judged as well. A
 * known false positive is the first payment of a kind that is new to the corridor, such as for a house.
 */
export const amountBeyondCorridor: Rule = {
  id: 'amount-beyond-corridor',
  reasonCode: 'AMOUNT_BEYOND_CORRIDOR',
  summary: 'The amount is far beyond what is paid in its corridor.',
  features: ['amount_to_corridor', 'amount'],
  bounds: {},
  measure: toCorridor,
  detail: (vector) =>
    `Amount ${amount(vector).toFixed(2)} is ${toCorridor(vector).toFixed(1)} times what 9,999 of 10,000 amounts in its corridor do not exceed`,
};
