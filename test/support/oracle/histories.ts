/**
 * The facts that a transaction uses of its siblings, field by field: those with (created_at, transaction_id) before it
 * that were known when it was folded. Amounts are minor units of the transaction's own currency; siblings in
 * another currency count in `count*`, never in a sum. NaN means "no sibling to tell from".
 */

/** Windows of an account are (t - W, t] to the millisecond. */
export type AccountHistory = {
  /** Siblings seen at all, at most ACCOUNT_HISTORY_ENTRIES of the last ACCOUNT_HISTORY_DAYS. */
  siblings: number;
  /** Milliseconds since the oldest of them. */
  spanMs: number;
  count1h: number;
  count24h: number;
  count7d: number;
  count30d: number;
  sum1h: number;
  sum24h: number;
  sum7d: number;
  sum30d: number;
  /** Same-currency siblings of the last 30 days: count, mean, sample standard deviation, maximum. */
  amounts30d: number;
  mean30d: number;
  deviation30d: number;
  max30d: number;
  /**
   * Same-currency siblings seen: how many, median and 90th percentile (the least amount that at least half, or
   * nine tenths, do not exceed). Unlike the mean they do not change when a few are raised.
   */
  amounts: number;
  median: number;
  p90: number;
  /** Same-currency siblings of the last 72 h with an amount in [0.8, 1) of the reporting limit; NaN without a limit. */
  nearLimit72h: number;
  distinctMerchants1h: number;
  distinctMerchants24h: number;
  /** 1 when no sibling shares it, 0 when one does, NaN when there is none to compare with or it is absent. */
  firstMerchant: number;
  firstCorridor: number;
  firstCountry: number;
  firstDevice: number;
  /** Milliseconds since the newest sibling. */
  gapMs: number;
  /** Milliseconds since the newest sibling with a country, if that country differs; else NaN. */
  countryChangeMs: number;
  /** Share of the siblings between 00:00 and 06:00 UTC. */
  nightShare: number;
  /** Siblings seen of the transaction's UTC hour, each counted as a half, and of the hours before and after it, as a quarter. */
  aroundHour: number;
  /** Same-currency siblings: how many of the last 24 h and 7 days, and the mean of all that are seen. */
  amounts24h: number;
  amounts7d: number;
  meanSeen: number;
  /** The largest same-currency sibling of the last 7 and 14 days, and how many of the 14 days are LARGE_MEDIANS. */
  max7d: number;
  max14d: number;
  large14d: number;
  /**
   * Rates of fraud among the siblings seen that were created in (t - d - w, t - d], d being the maturity of
   * labels, w 7, 30 and 90 days: frauds / (all of them + FRAUD_RATE_SMOOTHING). A sibling is fraud if its
   * newest label known at t says so.
   */
  fraudRate7d: number;
  fraudRate30d: number;
  fraudRate90d: number;
  /** Known frauds among the siblings seen that were created in (t - d, t). */
  youngFrauds: number;
  /** Upper median of the newest 40 numbers `distance` of the siblings seen; NaN with fewer than five. */
  distanceMedian: number;
};

/** A device or a network of addresses has these; NaN where the transaction has no such party. */
export type SharedHistory = {
  /** Distinct accounts among the newest 1,024 siblings of the window and this transaction, at most 64. */
  accounts: number;
  /** Milliseconds since the oldest sibling of 180 days; 0 without one. */
  ageMs: number;
  /** Siblings of 180 days, created before this transaction's millisecond, whose newest label known at t says fraud. */
  frauds: number;
};

/** Windows of a merchant are whole UTC buckets up to the transaction. */
export type MerchantHistory = {
  /** Siblings of this hour, and of this hour and the 23 before it. */
  count1h: number;
  count24h: number;
  /** Siblings of this UTC day and the 6, or 29, before it. */
  count7d: number;
  count30d: number;
  /** Same-currency siblings of this UTC day and the 29 before it: how many and their mean. */
  amounts30d: number;
  mean30d: number;
  /** Distinct accounts among the siblings of this hour (the newest MERCHANT_DISTINCT_ENTRIES are looked at). */
  distinctAccounts1h: number;
  /** Milliseconds since the newest sibling seen. */
  gapMs: number;
  /**
   * Siblings whose labels are mature: created before the hour of t - d, d being the maturity of labels, and in the
   * 24 hours before it, or since the UTC day of t - d and the 6, or 29, before it.
   */
  matured24h: number;
  matured7d: number;
  matured30d: number;
  /** Frauds among them, and among those since the 89th day before, smoothed as an account's. */
  fraudRate24h: number;
  fraudRate7d: number;
  fraudRate30d: number;
  fraudRate90d: number;
  /** As fraudRate7d, without frauds whose amount was above ORDINARY_MEDIANS_MAX medians of its account. */
  ordinaryRate7d: number;
  /** Known frauds created since the hour of t - d. */
  youngFrauds: number;
  /**
   * Milliseconds since the beginning of the newest unbroken run of matured UTC days on which at least half of the
   * ordinary siblings were fraud, of the last 35; days without any are passed over. NaN without one.
   */
  runMs: number;
  /** Milliseconds since the oldest fraud of the last 28 matured UTC days, and the share of fraud since its day. */
  firstFraudMs: number;
  firstFraudShare: number;
};
