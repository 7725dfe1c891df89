/**
 * default@3, the rule set of the build before default@4, which has most of its rules. Values are ratios to the account's, the merchant's or the corridor's own history, never
 * sums of money, so they hold in any currency. Weights and numbers were chosen on labelled card payments (weeks before the
 * evaluated ones) and on simulated scenarios; below 3 % of ordinary traffic reaches review.
 */
import { bandsOf } from './measures.ts';
import type { RuleData, RuleSetData } from './rule-set-data.ts';

/** Known false positive: businesses with such invoices, so the weight is small. */
const amountOverLimit: RuleData = {
  id: 'amount-over-limit',
  code: 'AMOUNT_OVER_LIMIT',
  sentence: 'The amount reaches the reporting limit of its currency.',
  measure: 'amount_to_limit',
  bands: bandsOf([1, 0.15], [5, 0.3], [20, 0.45]),
  detail: 'Amount {amount:2} is {amount_to_limit:1} times the reporting limit',
};

/**
 * Measures the amount by the 90th percentile of its siblings, so that an account that spends unevenly is given more room.
 * Known false positive: a rare large purchase, as rent or a journey.
 */
const amountOverHabit: RuleData = {
  id: 'amount-over-habit',
  code: 'AMOUNT_OVER_HABIT',
  sentence: 'The amount is far above the amounts that the account usually pays.',
  when: 'amounts >= 5 && amount_to_median >= 2 && (is_missing(amount_zscore) || amount_zscore >= 1)',
  measure: 'amount_to_p90',
  bands: bandsOf([1.2, 0.02], [1.5, 0.2], [2, 0.5], [3, 0.75], [6, 0.9]),
  detail: "Amount {amount:2} is {amount_to_median:1} times this account's usual {median:2}",
};

/** An account used to such amounts is left out. Known false positive: merchants that sell cheap and dear things. */
const amountOverMerchant: RuleData = {
  id: 'amount-over-merchant',
  code: 'AMOUNT_OVER_MERCHANT',
  sentence: 'The amount is far above what this merchant usually takes.',
  when: 'merchant_amounts_30d >= 20 && (is_missing(amount_to_median) || amount_to_median >= 2)',
  measure: 'amount_to_merchant_mean',
  bands: bandsOf([3, 0.02], [4, 0.15], [6, 0.4], [15, 0.6]),
  detail:
    "Amount {amount:2} is {amount_to_merchant_mean:1} times this merchant's usual {merchant_mean_30d:2}",
};

/** Measures the transactions of an hour, this one included. Known false positive: a batch of invoices paid in one sitting. */
const velocityCount1h: RuleData = {
  id: 'velocity-count-1h',
  code: 'VELOCITY_COUNT_1H',
  sentence: 'Many more transactions within an hour than this account usually makes.',
  when: 'count_1h + 1 >= 5 * usual_1h',
  measure: 'count_1h + 1',
  bands: bandsOf([4, 0.1], [6, 0.4], [10, 0.6], [25, 0.8]),
  detail: '{measure} transactions within an hour, usually {usual_1h:1}',
};

/** Measures the transactions of 24 hours, this one included. Known false positive: the days before a holiday. */
const velocityCount24h: RuleData = {
  id: 'velocity-count-24h',
  code: 'VELOCITY_COUNT_24H',
  sentence: 'Many more transactions within a day than this account usually makes.',
  when: 'span_days >= 3 && count_24h + 1 >= 4 * usual_24h',
  measure: 'count_24h + 1',
  bands: bandsOf([6, 0.05], [10, 0.25], [20, 0.45], [60, 0.6]),
  detail: '{measure} transactions within 24 hours, usually {usual_24h:1}',
};

/**
 * Measures the same-currency sum of 24 hours, this amount included, by that of a usual day, where it takes at least two
 * transactions. Known false positive: moving house.
 */
const velocitySum24h: RuleData = {
  id: 'velocity-sum-24h',
  code: 'VELOCITY_SUM_24H',
  sentence: 'Far more money within a day than this account usually moves.',
  when: 'count_24h >= 1 && amounts >= 10',
  measure: 'sum_24h_to_usual',
  bands: bandsOf([6, 0.05], [10, 0.25], [25, 0.5]),
  detail: '{sum_24h + amount:2} within 24 hours, {sum_24h_to_usual:1} times a usual day',
};

/** Known false positive: people do go to new shops, so only raised amounts fire. */
const newMerchant: RuleData = {
  id: 'new-merchant',
  code: 'NEW_MERCHANT',
  sentence: 'A raised amount at a merchant this account never paid before.',
  when: 'first_merchant == 1 && siblings >= 15',
  measure: 'amount_to_median',
  bands: bandsOf([2.5, 0.03], [4, 0.1], [8, 0.2]),
  detail:
    'First payment to this merchant among {siblings} transactions, {amount_to_median:1} times the usual amount',
};

/** Measures how many siblings are without the corridor. Known false positive: a relative moves, a first remittance. */
const newCorridor: RuleData = {
  id: 'new-corridor',
  code: 'NEW_CORRIDOR',
  sentence: 'This account never sent along this corridor before.',
  when: 'first_corridor == 1',
  measure: 'siblings',
  bands: bandsOf([5, 0.05], [20, 0.15]),
  detail: 'First transfer along this corridor among {siblings} transactions',
};

/** Known false positive: travel. */
const newCountry: RuleData = {
  id: 'new-country',
  code: 'NEW_COUNTRY',
  sentence: 'This account was never used from this country before.',
  when: 'first_country == 1',
  measure: 'siblings',
  bands: bandsOf([5, 0.1], [20, 0.3]),
  detail: 'First use from this country among {siblings} transactions',
};

/** Known false positive: a new phone, so the weight is small; with a new country or a raised amount it adds up. */
const newDevice: RuleData = {
  id: 'new-device',
  code: 'NEW_DEVICE',
  sentence: 'This account never used this device before.',
  when: 'first_device == 1',
  measure: 'siblings',
  bands: bandsOf([5, 0.08], [20, 0.2]),
  detail: 'First use of this device among {siblings} transactions',
};

/**
 * Measures the days since the newest sibling, where they are many times the mean pause between siblings and the amount is not
 * below the account's habit. Known false positive: seasonal use, as a yearly subscription.
 */
const dormantAccount: RuleData = {
  id: 'dormant-account',
  code: 'DORMANT_ACCOUNT',
  sentence: 'An account wakes after a pause that is long by its own measure.',
  when: 'siblings >= 3 && (is_missing(amount_to_median) || amount_to_median >= 1) && gap_hours / 24 >= 6 * ((span_days - gap_hours / 24) / (siblings - 1))',
  measure: 'gap_hours / 24',
  bands: bandsOf([30, 0.1], [90, 0.3], [150, 0.4]),
  detail:
    'First transaction after {measure:0} days, usually one every {(span_days - gap_hours / 24) / (siblings - 1):1}',
};

/**
 * Measures how many of the last 72 hours, this one included, lie in [0.8, 1) of the limit, where this one does. Known false
 * positive: regular invoices of that size.
 */
const structuring: RuleData = {
  id: 'structuring',
  code: 'STRUCTURING',
  sentence: 'Several amounts just below the reporting limit within three days.',
  when: 'amount_to_limit >= 0.8 && amount_to_limit < 1',
  measure: 'near_limit_72h + 1',
  bands: bandsOf([2, 0.35], [3, 0.6], [5, 0.85]),
  detail: '{measure} amounts just below the reporting limit within 72 hours',
};

/** Measures the distinct merchants of an hour. Known false positive: market places that settle each seller apart. */
const burstAcrossMerchants: RuleData = {
  id: 'burst-across-merchants',
  code: 'BURST_ACROSS_MERCHANTS',
  sentence: 'Many different merchants within an hour.',
  measure: { code: 'burst-across-merchants', bounds: { timesUsual: 5 } },
  bands: bandsOf([4, 0.15], [6, 0.4], [10, 0.6]),
  detail: '{measure} different merchants within an hour',
};

/**
 * Measures the amount by the account's median, between 00:00 and 06:00 UTC. Known false positive: people east or west of their
 * usual time zone.
 */
const nightHighAmount: RuleData = {
  id: 'night-high-amount',
  code: 'NIGHT_HIGH_AMOUNT',
  sentence: 'A raised amount at night by an account that sleeps at night.',
  when: 'night == 1 && amounts >= 10 && night_share <= 0.05',
  measure: 'amount_to_median',
  bands: bandsOf([2.5, 0.05], [4, 0.2], [8, 0.3]),
  detail:
    '{measure:1} times the usual amount at night, when {night_share * 100:0} % of its transactions are',
};

/**
 * Measures how many hours of the shortest believable journey, three, are missing since the newest sibling in another country.
 * Known false positive: a VPN, a card used online abroad.
 */
const impossibleTravel: RuleData = {
  id: 'impossible-travel',
  code: 'IMPOSSIBLE_TRAVEL',
  sentence: 'Another country sooner than anybody could have travelled there.',
  measure: '3 - country_change_hours',
  bands: bandsOf([0.5, 0.25], [2, 0.5]),
  detail: 'Another country {country_change_hours:1} hours after the last one',
};

/** Measures this hour's transactions, this one included, by the usual number. Known false positive: sales, ticket openings. */
const merchantBurst: RuleData = {
  id: 'merchant-burst',
  code: 'MERCHANT_BURST',
  sentence: 'Far more transactions at this merchant this hour than usual.',
  when: 'merchant_count_1h + 1 >= 10 && merchant_count_30d >= 100 && merchant_usual_1h > 0',
  measure: '(merchant_count_1h + 1) / merchant_usual_1h',
  bands: bandsOf([10, 0.1], [30, 0.3]),
  detail:
    '{merchant_count_1h + 1} transactions at this merchant this hour, usually {merchant_usual_1h:1}',
};

/**
 * Measures the distinct accounts of this hour where they are many times the merchant's usual hour. Known false positive: the
 * first day of a shop, a collection for a cause.
 */
const merchantFanIn: RuleData = {
  id: 'merchant-fan-in',
  code: 'MERCHANT_FAN_IN',
  sentence: 'Many different accounts pay one merchant within an hour that few use.',
  when: 'merchant_accounts_1h >= 10 * merchant_usual_1h',
  measure: 'merchant_accounts_1h',
  bands: bandsOf([8, 0.15], [15, 0.4], [40, 0.6]),
  detail: '{measure} different accounts paid this merchant this hour',
};

/**
 * Measures the rate of fraud of seven days with known labels, without frauds that their own amount explains: those say
 * something of the account. Known false positive: a merchant whose leak was closed since.
 */
const merchantFraudRun: RuleData = {
  id: 'merchant-fraud-run',
  code: 'MERCHANT_FRAUD_RUN',
  sentence: 'Day after day most of what this merchant took turned out fraud.',
  when: 'merchant_run_days <= 28',
  measure: 'merchant_ordinary_rate_7d',
  bands: bandsOf([0.1, 0.05], [0.3, 0.4], [0.6, 0.8], [0.85, 0.93]),
  detail:
    'Since {merchant_run_days:0} days ago most transactions at this merchant with known labels were fraud',
};

/** Known false positive: most customers, so the weights are small. */
const merchantFraudRate: RuleData = {
  id: 'merchant-fraud-rate',
  code: 'MERCHANT_FRAUD_RATE',
  sentence: 'Much of what this merchant took in 30 days turned out fraud.',
  when: 'merchant_matured_30d >= 20',
  measure: 'merchant_fraud_rate_30d',
  bands: bandsOf([0.1, 0.02], [0.3, 0.08], [0.6, 0.2]),
  detail:
    "{merchant_fraud_rate_30d * 100:1} % of this merchant's transactions with known labels were fraud",
};

/** Measures the amount by the median. Known false positive: the owner's first larger purchase with a new card. */
const accountFraud: RuleData = {
  id: 'account-fraud',
  code: 'ACCOUNT_FRAUD',
  sentence: "The account had a known fraud lately, and the amount is above the account's median.",
  when: 'young_frauds > 0 || fraud_rate_30d > 0',
  measure: 'amount_to_median',
  bands: bandsOf([1, 0.02], [2, 0.2], [3, 0.5]),
  detail: 'The account had a known fraud lately, and the amount is {measure:1} times its median',
};

/**
 * Compares the amount with the 99.99th percentile of its corridor, so that an account without a history is judged as well. A
 * known false positive is the first payment of a kind that is new to the corridor, such as for a house.
 */
const amountBeyondCorridor: RuleData = {
  id: 'amount-beyond-corridor',
  code: 'AMOUNT_BEYOND_CORRIDOR',
  sentence: 'The amount is far beyond what is paid in its corridor.',
  measure: 'amount_to_corridor',
  bands: bandsOf([10, 1]),
  policy: true,
  detail:
    'Amount {amount:2} is {measure:1} times what 9,999 of 10,000 amounts in its corridor do not exceed',
};

export const default3: RuleSetData = {
  version: 2,
  id: 'default@3',
  feature_schema: 3,
  rules: [
    amountOverLimit,
    amountOverHabit,
    amountOverMerchant,
    velocityCount1h,
    velocityCount24h,
    velocitySum24h,
    newMerchant,
    newCorridor,
    newCountry,
    newDevice,
    dormantAccount,
    structuring,
    burstAcrossMerchants,
    nightHighAmount,
    impossibleTravel,
    merchantBurst,
    merchantFanIn,
    merchantFraudRun,
    merchantFraudRate,
    accountFraud,
    amountBeyondCorridor,
  ],
  verdicts: { all: { review: 500, decline: 800 } },
};
