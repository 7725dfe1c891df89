/**
 * What the profiles know about a transaction's siblings at the moment it is folded: those with
 * (created_at, transaction_id) before it that were known then. Computed by `profile/`, read by
 * `scoring/`. Amounts are minor units of the transaction's own currency; siblings in another
 * currency count in `count*`, never in a sum. NaN means "no sibling to tell from".
 */
export type AccountHistory = {
  /** Siblings seen at all, at most ACCOUNT_HISTORY_ENTRIES. */
  siblings: number;
  count1h: number;
  count24h: number;
  count7d: number;
  count30d: number;
  sum1h: number;
  sum24h: number;
  sum7d: number;
  sum30d: number;
  /** Same-currency siblings of the last 30 days: how many, mean, standard deviation, maximum. */
  amounts30d: number;
  mean30d: number;
  deviation30d: number;
  max30d: number;
  /** Same-currency siblings of the last 72 h with an amount in [0.8, 1) of the reporting limit. */
  nearLimit72h: number;
  distinctMerchants1h: number;
  distinctMerchants24h: number;
  /** 1 when no sibling shares it, 0 when one does, NaN when there is none to tell from or it is absent. */
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
};

export type MerchantHistory = {
  /** Siblings in whole hour buckets: this hour and the W-1 before it. */
  count1h: number;
  count24h: number;
  count7d: number;
  count30d: number;
  /** Same-currency siblings of the last 30 days: how many and their mean. */
  amounts30d: number;
  mean30d: number;
  /** Distinct accounts among the recent siblings of this hour (at most MERCHANT_RECENT_ENTRIES are looked at). */
  distinctAccounts1h: number;
};
