/**
 * The parts of profiles, and how far they look back at a transaction's siblings: those with (created_at,
 * transaction_id) before it that were known when it was folded.
 */
import { DAY_MS } from '../../kit/words/range.ts';
import type { Position, Transaction } from './transaction.ts';

/**
 * An account's siblings older than this do not count: this bounds the rows and partitions that a rebuild reads.
 */
export const ACCOUNT_HISTORY_DAYS = 180;
/** Only this many of the newest siblings of an account count. */
export const ACCOUNT_HISTORY_ENTRIES = 256;
/** Distinct accounts of a merchant are counted among this many of its newest siblings. */
export const MERCHANT_DISTINCT_ENTRIES = 256;
/**
 * A merchant's siblings count back to this UTC day before that of the transaction less the maturity of labels.
 */
export const MERCHANT_HISTORY_DAYS = 89;
/** Days of lateness up to which a merchant's windows are complete. */
const MERCHANT_LATE_DAYS = 10;

/** Days before a point's UTC day that a merchant's rebuild reads. */
export function merchantReachDays(maturityDays: number): number {
  return MERCHANT_HISTORY_DAYS + maturityDays + 1 + MERCHANT_LATE_DAYS;
}

/**
 * Days before the horizon's day for which a merchant's tallies are kept by the hour: late arrivals need hours
 * there.
 */
export function merchantHourlyDays(maturityDays: number): number {
  return maturityDays + 1;
}

/** Only this many of the newest siblings of a merchant that are known to be fraud count. */
export const FRAUDS_SEEN_MAX = 512;
/** Default days until the labels of a transaction count as complete. */
export const LABEL_MATURITY_DAYS = 7;
/** Added to a rate's denominator, so that one fraud of one transaction is not a rate of 1. */
export const FRAUD_RATE_SMOOTHING = 1;
/**
 * A fraud whose amount was at most this many medians of its account is ordinary: the amount alone does not
 * explain it.
 */
export const ORDINARY_MEDIANS_MAX = 3;
/** A sibling above this many medians of its account is large. */
export const LARGE_MEDIANS = 3;

/** Transactions of a device or a network older than this do not count. */
export const SHARED_HISTORY_DAYS = 180;
/** Days of lateness up to which a device's or a network's profile knows its age. */
export const SHARED_LATE_DAYS = 30;
/** Distinct accounts of a device or a network are counted among this many of its newest transactions, and up to a bound. */
export const SHARED_ENTRIES = 1024;
export const SHARED_ACCOUNTS_MAX = 64;
/** Accounts are counted in (t - window, t]. */
export const SHARED_WINDOWS_MS = { device: 30 * DAY_MS, address: DAY_MS } as const;
/**
 * Transactions so much older than the newest leave a list: the window, the day that a sender may be ahead, and the lateness that a list
 * serves. With 31 days 512 networks of 100 payments a day took a fifth of the profiles' room in Redis, and a worker read 50 KB of each.
 */
export const SHARED_LIST_MS = { device: 60 * DAY_MS, address: 3 * DAY_MS } as const;
/** Times of its oldest transactions that a profile has. Fewer: a busy party is rebuilt more often, as its oldest transactions expire. */
export const SHARED_OLDEST = 64;
/** How many of these times may be too old for a rebuild's point, for transactions that come late. */
export const SHARED_OLDEST_BEFORE = 16;

/** The columns of a stored transaction that profiles are made of. */
export type PastTransaction = Omit<
  Transaction,
  'receivedAtMs' | 'type' | 'ip' | 'channel' | 'declared'
> & {
  /** The account's declared numbers, where rows of accounts were read with them; NaN where the metadata has none. */
  readonly numbers?: readonly number[];
};

/**
 * A transaction of a party while its newest label said fraud of one kind: known from `fromMs`, no longer from
 * `untilMs` on.
 */
export type FraudSpan = {
  /** `created_at` of the transaction. */
  readonly createdAtMs: number;
  readonly fromMs: number;
  /** Infinity while no later label said otherwise. */
  readonly untilMs: number;
  /** By the newest label, its amount was above ORDINARY_MEDIANS_MAX medians of its account. */
  readonly isUnusual: boolean;
};

/** The known frauds of a party, in rising order of created_at. */
export type KnownFrauds = {
  readonly spans: readonly FraudSpan[];
  /** Frauds created at or before this are left out; -Infinity when none is. */
  readonly floorMs: number;
};

export const NO_FRAUDS: KnownFrauds = { spans: [], floorMs: Number.NEGATIVE_INFINITY };

/**
 * Rows of an account around a point, in rising order: the newest before it and the oldest from it on, both
 * bounded.
 */
export type AccountPast = {
  readonly rows: readonly PastTransaction[];
  /** Every row after this is in `rows`, up to `ceiling`. */
  readonly floor: Position;
  /** Rows after this were not read; null when all were. */
  readonly ceiling: Position | null;
  readonly frauds: KnownFrauds;
};

export type OldestRows = {
  /** Older rows were not read. */
  readonly sinceMs: number;
  /** Rising times of the rows from then on, up to a time: Infinity where these are all up to the floor. */
  readonly times: readonly number[];
  readonly toMs: number;
};

/** The past of a device or a network, like an account's past. */
export type SharedPast = AccountPast & {
  readonly oldest: OldestRows;
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

/** Rows and tallies of a merchant around a point. */
export type MerchantPast = {
  readonly rows: readonly PastTransaction[];
  /** `tallies` counts rows at or before `horizon` and from `knownFromMs` on; null: there are no tallies. */
  readonly tallies: readonly MerchantTally[];
  readonly horizon: Position | null;
  readonly knownFromMs: number;
  readonly ceiling: Position | null;
  readonly frauds: KnownFrauds;
};
