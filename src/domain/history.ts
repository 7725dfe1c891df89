/**
 * What the profiles know about a transaction's siblings at the moment it is folded: those with
 * (created_at, transaction_id) before it that were known then. Computed by `profile/`, read by
 * `scoring/`. Amounts are minor units of the transaction's own currency; siblings in another
 * currency count in `count*`, never in a sum. NaN means "no sibling to tell from".
 */

/** An account's siblings older than this are not seen: the bound of a rebuild, hence of partitions read. */
export const ACCOUNT_HISTORY_DAYS = 180;
/** At most the newest so many siblings of an account are seen. */
export const ACCOUNT_HISTORY_ENTRIES = 256;
/** Distinct accounts of a merchant are looked for among at most its newest so many siblings. */
export const MERCHANT_DISTINCT_ENTRIES = 256;
/** A merchant's siblings are seen back to this UTC day before that of the transaction less the maturity of labels. */
export const MERCHANT_HISTORY_DAYS = 89;
/** Late arrivals by up to so many days still find a merchant's windows whole. */
const MERCHANT_LATE_DAYS = 10;

/** Days before a point's UTC day that a merchant's rebuild reads. */
export function merchantReachDays(maturityDays: number): number {
  return MERCHANT_HISTORY_DAYS + maturityDays + 1 + MERCHANT_LATE_DAYS;
}

/** Days before the horizon's that a merchant's tallies tell apart by hour: what later arrivals ask for by the hour. */
export function merchantHourlyDays(maturityDays: number): number {
  return maturityDays + 1;
}

/** Of a merchant's siblings that are known to be fraud at the time at most the newest so many are seen. */
export const FRAUDS_SEEN_MAX = 512;
/** Days until the labels of a transaction are taken for complete, where nothing else is configured. */
export const LABEL_MATURITY_DAYS = 7;
/** Added to a rate's denominator, so that one fraud of one transaction is no certainty. */
export const FRAUD_RATE_SMOOTHING = 1;
/** A fraud whose amount was at most so many medians of its account is ordinary: the amount alone does not explain it. */
export const ORDINARY_MEDIANS_MAX = 3;
/** A sibling above so many medians of its account is large. */
export const LARGE_MEDIANS = 3;

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
  /** Same-currency siblings of the last 30 days: how many, mean, sample standard deviation, maximum. */
  amounts30d: number;
  mean30d: number;
  deviation30d: number;
  max30d: number;
  /**
   * Same-currency siblings seen: how many, median and 90th percentile (the least amount that at least
   * half, or nine tenths, do not exceed). Unlike the mean they stand still when a few are raised.
   */
  amounts: number;
  median: number;
  p90: number;
  /** Same-currency siblings of the last 72 h with an amount in [0.8, 1) of the reporting limit; NaN without a limit. */
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
  /** Same-currency siblings: how many of the last 24 h and 7 days, and the mean of all that are seen. */
  amounts24h: number;
  amounts7d: number;
  meanSeen: number;
  /** The largest same-currency sibling of the last 7 and 14 days, and how many of the 14 days are LARGE_MEDIANS. */
  max7d: number;
  max14d: number;
  large14d: number;
  /**
   * Rates of fraud among the siblings seen that were created in (t - d - w, t - d], d being the maturity of labels,
   * w 7, 30 and 90 days: frauds by FRAUD_RATE_SMOOTHING more than all of them. Fraud is a sibling whose newest label
   * known at t says so.
   */
  fraudRate7d: number;
  fraudRate30d: number;
  fraudRate90d: number;
  /** Known frauds among the siblings seen that were created in (t - d, t). */
  youngFrauds: number;
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

/** A place in the order (created_at, transaction_id). */
export type Position = { readonly createdAtMs: number; readonly transactionId: string };

/** The order of (created_at, transaction_id); canonical lower-case UUIDs compare like their bytes. */
export function comparePositions(one: Position, other: Position): number {
  if (one.createdAtMs !== other.createdAtMs) return one.createdAtMs - other.createdAtMs;
  if (one.transactionId === other.transactionId) return 0;
  return one.transactionId < other.transactionId ? -1 : 1;
}

/** The columns of a stored transaction that profiles are made of. */
export type PastTransaction = {
  readonly transactionId: string;
  readonly createdAtMs: number;
  readonly accountId: string;
  readonly merchantId: string;
  readonly amount: string;
  readonly currency: string;
  readonly corridor: string;
  readonly deviceId: string | null;
  readonly country: string | null;
};

/** A transaction of a party while its newest label said fraud of one kind: known from `fromMs`, no more from `untilMs` on. */
export type FraudSpan = {
  /** Of the transaction. */
  readonly createdAtMs: number;
  readonly fromMs: number;
  /** Infinity while nobody said otherwise. */
  readonly untilMs: number;
  /** Its amount, by the newest label, was above ORDINARY_MEDIANS_MAX medians of its account. */
  readonly isUnusual: boolean;
};

/** What is known of a party's frauds, in rising order of created_at. */
export type KnownFrauds = {
  readonly spans: readonly FraudSpan[];
  /** Frauds created at or before this are left out; -Infinity when none is. */
  readonly floorMs: number;
};

export const NO_FRAUDS: KnownFrauds = { spans: [], floorMs: Number.NEGATIVE_INFINITY };

/**
 * What Postgres knows of an account around a point, in rising order: the newest rows before it and
 * the oldest rows from it on, both bounded.
 */
export type AccountPast = {
  readonly rows: readonly PastTransaction[];
  /** Every row after this is in `rows`, up to `ceiling`. */
  readonly floor: Position;
  /** Rows after this were not read; null when all were. */
  readonly ceiling: Position | null;
  readonly frauds: KnownFrauds;
};

/** Rows of one bucket and currency that are not in a list: an hour, or a UTC day. */
export type MerchantTally = {
  readonly bucketMs: number;
  readonly daily: boolean;
  readonly currency: string;
  readonly count: number;
  /** Decimal sum of the amounts. */
  readonly sum: string;
};

/** What Postgres knows of a merchant around a point. */
export type MerchantPast = {
  readonly rows: readonly PastTransaction[];
  /** Rows at or before `horizon` and from `knownFromMs` on are in `tallies`; null: there are none. */
  readonly tallies: readonly MerchantTally[];
  readonly horizon: Position | null;
  readonly knownFromMs: number;
  readonly ceiling: Position | null;
  readonly frauds: KnownFrauds;
};
