/**
 * The feature vector: which number stands where, and what it means. Vectors are stored for ever, so the order never changes. New
 * features stand behind the others, and make a new FEATURE_SCHEMA.
 */

/** Each score names the schema of its vector; a vector of an unknown schema is neither verified nor explained. */
export const FEATURE_SCHEMA = 4;

/**
 * Name, unit, description. NaN stands for missing: no sibling to compare with, an absent field, a currency
 * without a limit. Siblings are the account's, or merchant's, transactions before this one.
 */
const FEATURES = [
  ['amount', 'currency units', 'Amount of the transaction.'],
  ['amount_log', 'ln(currency units)', 'Natural logarithm of the amount.'],
  ['amount_to_limit', 'ratio', 'Amount divided by the reporting limit of its currency.'],
  ['round_amount', '0 or 1', 'Amount is a whole multiple of 100 currency units.'],
  ['hour', 'hours', 'Hour of the day, UTC.'],
  ['weekday', 'days', 'Day of the week, UTC, Monday is 0.'],
  ['weekend', '0 or 1', 'Saturday or Sunday, UTC.'],
  ['night', '0 or 1', 'Between 00:00 and 06:00 UTC.'],
  ['cross_border', '0 or 1', 'Corridor leads from one country to another.'],
  ['off_corridor', '0 or 1', 'Country is neither end of the corridor.'],
  ['device_absent', '0 or 1', 'No device id was given.'],
  ['country_absent', '0 or 1', 'No country was given.'],
  ['ip_absent', '0 or 1', 'No IP address was given.'],
  ['siblings', 'transactions', 'Siblings that features look at, at most 256 of the last 180 days.'],
  ['span_days', 'days', 'Age of the oldest sibling seen.'],
  ['count_1h', 'transactions', 'Siblings of the last hour.'],
  ['count_24h', 'transactions', 'Siblings of the last 24 hours.'],
  ['count_7d', 'transactions', 'Siblings of the last 7 days.'],
  ['count_30d', 'transactions', 'Siblings of the last 30 days.'],
  ['usual_1h', 'transactions', 'Siblings an hour over all siblings seen.'],
  [
    'usual_24h',
    'transactions',
    'Siblings a day over the last 30 days, or since the oldest sibling.',
  ],
  ['sum_1h', 'currency units', 'Same-currency sum of the last hour.'],
  ['sum_24h', 'currency units', 'Same-currency sum of the last 24 hours.'],
  ['sum_7d', 'currency units', 'Same-currency sum of the last 7 days.'],
  ['sum_30d', 'currency units', 'Same-currency sum of the last 30 days.'],
  [
    'sum_24h_to_usual',
    'ratio',
    'Sum of the last 24 hours and this amount, divided by the usual sum of a day.',
  ],
  [
    'sum_24h_to_limit',
    'ratio',
    'Sum of the last 24 hours and this amount, divided by the reporting limit.',
  ],
  ['amounts', 'transactions', 'Same-currency siblings seen.'],
  ['median', 'currency units', 'Median of the same-currency siblings seen.'],
  ['amount_to_median', 'ratio', 'Amount divided by the median of the same-currency siblings seen.'],
  [
    'amount_to_p90',
    'ratio',
    'Amount divided by the 90th percentile of the same-currency siblings seen.',
  ],
  ['mean_30d', 'currency units', 'Mean of the same-currency siblings of the last 30 days.'],
  [
    'deviation_30d',
    'currency units',
    'Sample standard deviation of the same-currency siblings of the last 30 days.',
  ],
  [
    'max_30d',
    'currency units',
    'Largest amount of the same-currency siblings of the last 30 days.',
  ],
  ['amount_to_mean', 'ratio', 'Amount divided by the mean of the last 30 days.'],
  [
    'amount_zscore',
    'deviations',
    'Amount above the mean of the last 30 days, in standard deviations.',
  ],
  [
    'near_limit_72h',
    'transactions',
    'Siblings of the last 72 hours from 80 % of the reporting limit on, and below the limit.',
  ],
  ['merchants_1h', 'merchants', 'Distinct merchants among the siblings of the last hour.'],
  ['merchants_24h', 'merchants', 'Distinct merchants among the siblings of the last 24 hours.'],
  ['first_merchant', '0 or 1', 'No sibling has this merchant.'],
  ['first_corridor', '0 or 1', 'No sibling has this corridor.'],
  ['first_country', '0 or 1', 'No sibling has this country.'],
  ['first_device', '0 or 1', 'No sibling has this device.'],
  ['gap_hours', 'hours', 'Time since the newest sibling.'],
  [
    'country_change_hours',
    'hours',
    'Time since the newest sibling with a country, if in another country.',
  ],
  ['night_share', 'share', 'Share of the siblings between 00:00 and 06:00 UTC.'],
  ['merchant_count_1h', 'transactions', "The merchant's siblings of this hour."],
  ['merchant_count_24h', 'transactions', "The merchant's siblings of this hour and the 23 before."],
  [
    'merchant_count_7d',
    'transactions',
    "The merchant's siblings of this UTC day and the 6 before.",
  ],
  [
    'merchant_count_30d',
    'transactions',
    "The merchant's siblings of this UTC day and the 29 before.",
  ],
  [
    'merchant_usual_1h',
    'transactions',
    "The merchant's siblings an hour over 30 days without the last 24 hours.",
  ],
  [
    'merchant_amounts_30d',
    'transactions',
    "The merchant's same-currency siblings of the last 30 days.",
  ],
  [
    'merchant_mean_30d',
    'currency units',
    "Mean of the merchant's same-currency siblings of the last 30 days.",
  ],
  ['amount_to_merchant_mean', 'ratio', "Amount divided by the merchant's mean of 30 days."],
  [
    'merchant_accounts_1h',
    'accounts',
    'Distinct accounts among the newest siblings of this hour (of at most 256).',
  ],
  // Rates are frauds / (matured siblings + 1); a sibling is fraud by its newest label known now.
  [
    'mean_24h_here',
    'currency units',
    'Mean of this amount and the same-currency siblings of the last 24 hours.',
  ],
  [
    'mean_7d_here',
    'currency units',
    'Mean of this amount and the same-currency siblings of the last 7 days.',
  ],
  [
    'mean_30d_here',
    'currency units',
    'Mean of this amount and the same-currency siblings of the last 30 days.',
  ],
  ['mean_seen', 'currency units', 'Mean of the same-currency siblings seen.'],
  [
    'amount_to_mean_seen',
    'ratio',
    'Amount divided by the mean of the same-currency siblings seen.',
  ],
  [
    'amount_to_max_30d',
    'ratio',
    'Amount divided by the largest same-currency sibling of the last 30 days.',
  ],
  [
    'max_7d_to_median',
    'ratio',
    'The largest same-currency sibling of the last 7 days divided by the median.',
  ],
  [
    'max_14d_to_median',
    'ratio',
    'The largest same-currency sibling of the last 14 days divided by the median.',
  ],
  [
    'large_14d',
    'transactions',
    'Same-currency siblings of the last 14 days above three times the median.',
  ],
  [
    'fraud_rate_7d',
    'share',
    "Frauds among the account's siblings of the 7 days that ended when labels matured.",
  ],
  [
    'fraud_rate_30d',
    'share',
    "Frauds among the account's siblings of the 30 days that ended when labels matured.",
  ],
  [
    'fraud_rate_90d',
    'share',
    "Frauds among the account's siblings of the 90 days that ended when labels matured.",
  ],
  [
    'young_frauds',
    'transactions',
    "Known frauds among the account's siblings of the days in which labels mature.",
  ],
  ['merchant_gap_hours', 'hours', "Time since the merchant's newest sibling."],
  [
    'merchant_matured_24h',
    'transactions',
    "The merchant's siblings of the 24 hours that end RISK_LABEL_MATURITY_DAYS ago, to the full hour.",
  ],
  [
    'merchant_matured_7d',
    'transactions',
    "The merchant's siblings before that hour, of its UTC day and the 6 before.",
  ],
  [
    'merchant_matured_30d',
    'transactions',
    "The merchant's siblings before that hour, of its UTC day and the 29 before.",
  ],
  [
    'merchant_fraud_rate_24h',
    'share',
    "Frauds among the merchant's siblings of the last 24 hours.",
  ],
  ['merchant_fraud_rate_7d', 'share', "Frauds among the merchant's siblings of the last 7 days."],
  ['merchant_fraud_rate_30d', 'share', "Frauds among the merchant's siblings of the last 30 days."],
  ['merchant_fraud_rate_90d', 'share', 'Frauds among the siblings of 90 such days.'],
  [
    'merchant_ordinary_rate_7d',
    'share',
    'Rate of those 7 days without frauds above 3 medians of their account.',
  ],
  ['merchant_young_frauds', 'transactions', "The merchant's known frauds since that hour."],
  [
    'merchant_run_days',
    'days',
    'Age of the newest unbroken run of matured days on which half of the ordinary siblings or more were fraud.',
  ],
  ['merchant_first_fraud_days', 'days', 'Age of the oldest known fraud of 28 matured days.'],
  [
    'merchant_first_fraud_share',
    'share',
    "Frauds among the merchant's matured siblings since the day of that fraud.",
  ],
  [
    'amount_to_corridor',
    'ratio',
    "Amount divided by the 99.99th percentile of its corridor's amounts of the 90 days before, in the market's currency.",
  ],
  // A lift is the logarithm of a rate of fraud divided by the market's, as the table of the day counts both.
  [
    'hour_surprise',
    'decades',
    'How unusual the UTC hour is among those of the siblings seen; 0 is as usual as any.',
  ],
  ['cell_amount_lift', 'log', 'Lift of such amounts in the group that the market names.'],
  ['type_lift', 'log', 'Lift of the type.'],
  ['channel_lift', 'log', 'Lift of the channel.'],
  ['device_accounts_30d', 'accounts', 'Distinct accounts of the device in 30 days, at most 64.'],
  ['ip_accounts_24h', 'accounts', 'Distinct accounts of the network in 24 hours, at most 64.'],
  ['device_age_hours', 'hours', "Time since the device's first payment of 180 days."],
  ['ip_age_hours', 'hours', "Time since the network's first payment of 180 days."],
  ['device_frauds', 'transactions', 'Known frauds of the device in 180 days.'],
  ['ip_frauds', 'transactions', 'Known frauds of the network in 180 days.'],
  [
    'number_tail_max',
    'decades',
    'How few declared numbers are as great, of the one that is rarest.',
  ],
] as const;

export type FeatureName = (typeof FEATURES)[number][0];

export type Feature = {
  readonly name: FeatureName;
  readonly unit: string;
  readonly description: string;
};

export const FEATURE_LIST: readonly Feature[] = FEATURES.map(([name, unit, description]) => ({
  name,
  unit,
  description,
}));

export const FEATURE_COUNT = FEATURES.length;

/** Schemas that are read; each appends to the one before. */
export const FEATURE_SCHEMAS = [3, FEATURE_SCHEMA] as const;
/** Features of the first of them. */
export const FEATURE_COUNT_MIN = 82;

/** The features of a schema; undefined for a schema that this version lacks. */
export function featuresOf(schema: unknown): readonly Feature[] | undefined {
  if (!FEATURE_SCHEMAS.some((known) => known === schema)) return undefined;
  return FEATURE_LIST.slice(0, schema === FEATURE_SCHEMA ? FEATURE_COUNT : FEATURE_COUNT_MIN);
}

const INDEX: ReadonlyMap<FeatureName, number> = new Map(
  FEATURES.map(([name], index) => [name, index]),
);

/** Index of a feature in the vector. */
export function featureIndex(name: FeatureName): number {
  const index = INDEX.get(name);
  if (index === undefined) throw new Error(`feature ${name} is not in the schema`);
  return index;
}

export function featureOf(name: FeatureName): (vector: Float64Array) => number {
  const index = featureIndex(name);
  return (vector) => vector[index] ?? Number.NaN;
}
