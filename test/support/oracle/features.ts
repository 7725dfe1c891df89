/**
 * The feature vector of one transaction, in the order of feature-schema.ts. Pure, and only arithmetic
 * that is bit-stable on every engine (no Math.log, exp or pow).
 */
import { currencyScale, toMinorUnits } from '../../../src/core/domain/currency.ts';
import type { FieldSlot } from '../../../src/core/domain/metadata.ts';
import { reportingLimitMinor } from '../../../src/core/domain/reporting-limit.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import type { DayTable } from '../../../src/core/score/scorecard/day-table.ts';
import { naturalLog } from '../../../src/kit/elementary-functions.ts';
import { amountToCorridor, dayFeatures, hourSurprise } from './day.ts';
import type { AccountHistory, MerchantHistory, SharedHistory } from './histories.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NIGHT_HOURS = 6;
const ROUND_UNITS = 100;
/** The longest window in days, and the least span over which a day's usual figures are taken. */
const WINDOW_DAYS = 30;
/** 1970-01-01 was a Thursday: 3 days after a Monday. */
const EPOCH_WEEKDAY = 3;
/** Minor units in one unit, by decimal places; ISO 4217 has 0 to 4. */
const UNIT_MINOR = [1, 10, 100, 1000, 10_000];

/** The facts of a transaction that a group of features reads: amounts in minor units. */
type Facts = {
  readonly transaction: Transaction;
  readonly account: AccountHistory;
  readonly merchant: MerchantHistory;
  readonly device: SharedHistory;
  readonly address: SharedHistory;
  readonly minor: number;
  readonly unit: number;
  readonly limit: number;
  readonly table: DayTable | null;
  readonly slots: readonly FieldSlot[];
};

const NO_PARTY: SharedHistory = { accounts: Number.NaN, ageMs: Number.NaN, frauds: Number.NaN };

/** In the order of the vector, which ends with the slots. */
const GROUPS: readonly ((facts: Facts) => readonly number[])[] = [
  ownFeatures,
  velocity,
  habit,
  familiarity,
  merchantFeatures,
  longHabit,
  accountFrauds,
  merchantFrauds,
  ({ transaction, minor, unit, table }) => [amountToCorridor(transaction, minor / unit, table)],
  ({ transaction, account, table }) => [hourSurprise(transaction, account, table)],
  (facts) => {
    const { transaction, account, minor, unit, table, slots } = facts;
    return dayFeatures(transaction, minor / unit, table, slots, sharedFeatures(facts), account);
  },
];

export function features(
  transaction: Transaction,
  account: AccountHistory,
  merchant: MerchantHistory,
  table: DayTable | null = null,
  slots: readonly FieldSlot[] = [],
  device = NO_PARTY,
  address = NO_PARTY,
): Float64Array {
  const { currency } = transaction;
  const unit = UNIT_MINOR[currencyScale(currency) ?? 2] ?? 100;
  const minor = toMinorUnits(transaction.amount, currency);
  const limit = reportingLimitMinor(currency);
  const facts = {
    transaction,
    account,
    merchant,
    device,
    address,
    minor,
    unit,
    limit,
    table,
    slots,
  };
  return Float64Array.from(GROUPS.flatMap((group) => group(facts)));
}

function ownFeatures({ transaction, minor, unit, limit }: Facts) {
  const { createdAtMs, corridor, country } = transaction;
  const day = Math.floor(createdAtMs / DAY_MS);
  const hour = Math.floor((createdAtMs - day * DAY_MS) / HOUR_MS);
  const weekday = (day + EPOCH_WEEKDAY) % 7;
  const source = corridor.slice(0, 2);
  const destination = corridor.slice(3);
  return [
    minor / unit,
    naturalLog(minor / unit),
    minor / limit,
    minor % (ROUND_UNITS * unit) === 0 ? 1 : 0,
    hour,
    weekday,
    weekday >= 5 ? 1 : 0,
    hour < NIGHT_HOURS ? 1 : 0,
    source === destination ? 0 : 1,
    country === null ? Number.NaN : Number(country !== source && country !== destination),
    transaction.deviceId === null ? 1 : 0,
    country === null ? 1 : 0,
    transaction.ip === null ? 1 : 0,
  ];
}

function velocity({ account, minor, unit, limit }: Facts) {
  const spanDays = account.spanMs / DAY_MS;
  const days = Math.min(WINDOW_DAYS, Math.max(1, spanDays));
  return [
    account.siblings,
    spanDays,
    account.count1h,
    account.count24h,
    account.count7d,
    account.count30d,
    // Spans are at least a day, as an account's second transaction would otherwise follow a rate of thousands.
    account.siblings / (Math.max(1, spanDays) * 24),
    account.count30d / days,
    account.sum1h / unit,
    account.sum24h / unit,
    account.sum7d / unit,
    account.sum30d / unit,
    account.sum30d > 0 ? (account.sum24h + minor) / (account.sum30d / days) : Number.NaN,
    (account.sum24h + minor) / limit,
  ];
}

function habit({ account, minor, unit }: Facts) {
  const { mean30d, deviation30d, median, p90 } = account;
  return [
    account.amounts,
    median / unit,
    minor / median,
    minor / p90,
    mean30d / unit,
    deviation30d / unit,
    account.max30d / unit,
    minor / mean30d,
    deviation30d > 0 ? (minor - mean30d) / deviation30d : Number.NaN,
  ];
}

function familiarity({ account }: Facts) {
  return [
    account.nearLimit72h,
    account.distinctMerchants1h,
    account.distinctMerchants24h,
    account.firstMerchant,
    account.firstCorridor,
    account.firstCountry,
    account.firstDevice,
    account.gapMs / HOUR_MS,
    account.countryChangeMs / HOUR_MS,
    account.nightShare,
  ];
}

function merchantFeatures({ merchant, minor, unit }: Facts) {
  return [
    merchant.count1h,
    merchant.count24h,
    merchant.count7d,
    merchant.count30d,
    (merchant.count30d - merchant.count24h) / ((WINDOW_DAYS - 1) * 24),
    merchant.amounts30d,
    merchant.mean30d / unit,
    minor / merchant.mean30d,
    merchant.distinctAccounts1h,
  ];
}

function longHabit({ account, minor, unit }: Facts) {
  const { median, meanSeen } = account;
  return [
    (account.sum24h + minor) / (account.amounts24h + 1) / unit,
    (account.sum7d + minor) / (account.amounts7d + 1) / unit,
    (account.sum30d + minor) / (account.amounts30d + 1) / unit,
    meanSeen / unit,
    minor / meanSeen,
    minor / account.max30d,
    account.max7d / median,
    account.max14d / median,
    account.large14d,
  ];
}

function accountFrauds({ account }: Facts) {
  return [account.fraudRate7d, account.fraudRate30d, account.fraudRate90d, account.youngFrauds];
}

function merchantFrauds({ merchant }: Facts) {
  return [
    merchant.gapMs / HOUR_MS,
    merchant.matured24h,
    merchant.matured7d,
    merchant.matured30d,
    merchant.fraudRate24h,
    merchant.fraudRate7d,
    merchant.fraudRate30d,
    merchant.fraudRate90d,
    merchant.ordinaryRate7d,
    merchant.youngFrauds,
    merchant.runMs / DAY_MS,
    merchant.firstFraudMs / DAY_MS,
    merchant.firstFraudShare,
  ];
}

function sharedFeatures({ device, address }: Facts) {
  return [
    device.accounts,
    address.accounts,
    device.ageMs / HOUR_MS,
    address.ageMs / HOUR_MS,
    device.frauds,
    address.frauds,
  ];
}

/** Whether two values are equal but for rounding, in which SQL differs from doubles. */
export function isNear(value: number, defined: number): boolean {
  const near = Math.abs(value - defined) <= 1e-9 * Math.max(1, Math.abs(defined));
  return near || (Number.isNaN(value) && Number.isNaN(defined));
}
