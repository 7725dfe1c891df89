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
};
