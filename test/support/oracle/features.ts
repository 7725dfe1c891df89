/**
 * The feature vector of one transaction, in the order of feature-schema.ts. Pure, and only arithmetic
 * that is bit-stable on every engine (no Math.log, exp or pow).
 */
import { currencyScale, toMinorUnits } from '../../../src/core/domain/currency.ts';
import { FEATURE_COUNT } from '../../../src/core/domain/feature-schema.ts';
import { reportingLimitMinor } from '../../../src/core/domain/reporting-limit.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import { naturalLog } from '../../../src/core/score/natural-log.ts';
import type { AccountHistory, MerchantHistory } from './histories.ts';

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

/** @param out filled and returned if given, for a caller that keeps no vector */
export function features(
  transaction: Transaction,
  account: AccountHistory,
  merchant: MerchantHistory,
  out: Float64Array = new Float64Array(FEATURE_COUNT),
): Float64Array {
  const { currency } = transaction;
  const unit = UNIT_MINOR[currencyScale(currency) ?? 2] ?? 100;
  const minor = toMinorUnits(transaction.amount, currency);
  const limit = reportingLimitMinor(currency);
  let at = writeOwn(out, 0, transaction, minor, unit, limit);
  at = writeVelocity(out, at, account, minor, unit, limit);
  at = writeHabit(out, at, account, minor, unit);
  at = writeFamiliarity(out, at, account);
  at = writeMerchant(out, at, merchant, minor, unit);
  at = writeLongHabit(out, at, account, minor, unit);
  at = writeAccountFrauds(out, at, account);
  at = writeMerchantFrauds(out, at, merchant);
  // No corridor of the oracle has the 10,000 amounts of a percentile.
  out[at++] = Number.NaN;
  if (at !== FEATURE_COUNT) throw new Error(`wrote ${at} of ${FEATURE_COUNT} features`);
  return out;
}

function writeOwn(
  out: Float64Array,
  start: number,
  transaction: Transaction,
  minor: number,
  unit: number,
  limit: number,
): number {
  const { createdAtMs, corridor, country } = transaction;
  const day = Math.floor(createdAtMs / DAY_MS);
  const hour = Math.floor((createdAtMs - day * DAY_MS) / HOUR_MS);
  const weekday = (day + EPOCH_WEEKDAY) % 7;
  const source = corridor.slice(0, 2);
  const destination = corridor.slice(3);
  let at = start;
  out[at++] = minor / unit;
  out[at++] = naturalLog(minor / unit);
  out[at++] = minor / limit;
  out[at++] = minor % (ROUND_UNITS * unit) === 0 ? 1 : 0;
  out[at++] = hour;
  out[at++] = weekday;
  out[at++] = weekday >= 5 ? 1 : 0;
  out[at++] = hour < NIGHT_HOURS ? 1 : 0;
  out[at++] = source === destination ? 0 : 1;
  out[at++] = country === null ? Number.NaN : Number(country !== source && country !== destination);
  out[at++] = transaction.deviceId === null ? 1 : 0;
  out[at++] = country === null ? 1 : 0;
  out[at++] = transaction.ip === null ? 1 : 0;
  return at;
}

function writeVelocity(
  out: Float64Array,
  start: number,
  account: AccountHistory,
  minor: number,
  unit: number,
  limit: number,
): number {
  const spanDays = account.spanMs / DAY_MS;
  const days = Math.min(WINDOW_DAYS, Math.max(1, spanDays));
  let at = start;
  out[at++] = account.siblings;
  out[at++] = spanDays;
  out[at++] = account.count1h;
  out[at++] = account.count24h;
  out[at++] = account.count7d;
  out[at++] = account.count30d;
  // Spans are at least a day, as an account's second transaction would otherwise follow a rate of thousands.
  out[at++] = account.siblings / (Math.max(1, spanDays) * 24);
  out[at++] = account.count30d / days;
  out[at++] = account.sum1h / unit;
  out[at++] = account.sum24h / unit;
  out[at++] = account.sum7d / unit;
  out[at++] = account.sum30d / unit;
  out[at++] = account.sum30d > 0 ? (account.sum24h + minor) / (account.sum30d / days) : Number.NaN;
  out[at++] = (account.sum24h + minor) / limit;
  return at;
}

function writeHabit(
  out: Float64Array,
  start: number,
  account: AccountHistory,
  minor: number,
  unit: number,
): number {
  const { mean30d, deviation30d, median, p90 } = account;
  let at = start;
  out[at++] = account.amounts;
  out[at++] = median / unit;
  out[at++] = minor / median;
  out[at++] = minor / p90;
  out[at++] = mean30d / unit;
  out[at++] = deviation30d / unit;
  out[at++] = account.max30d / unit;
  out[at++] = minor / mean30d;
  out[at++] = deviation30d > 0 ? (minor - mean30d) / deviation30d : Number.NaN;
  return at;
}

function writeFamiliarity(out: Float64Array, start: number, account: AccountHistory): number {
  let at = start;
  out[at++] = account.nearLimit72h;
  out[at++] = account.distinctMerchants1h;
  out[at++] = account.distinctMerchants24h;
  out[at++] = account.firstMerchant;
  out[at++] = account.firstCorridor;
  out[at++] = account.firstCountry;
  out[at++] = account.firstDevice;
  out[at++] = account.gapMs / HOUR_MS;
  out[at++] = account.countryChangeMs / HOUR_MS;
  out[at++] = account.nightShare;
  return at;
}

function writeMerchant(
  out: Float64Array,
  start: number,
  merchant: MerchantHistory,
  minor: number,
  unit: number,
): number {
  let at = start;
  out[at++] = merchant.count1h;
  out[at++] = merchant.count24h;
  out[at++] = merchant.count7d;
  out[at++] = merchant.count30d;
  out[at++] = (merchant.count30d - merchant.count24h) / ((WINDOW_DAYS - 1) * 24);
  out[at++] = merchant.amounts30d;
  out[at++] = merchant.mean30d / unit;
  out[at++] = minor / merchant.mean30d;
  out[at++] = merchant.distinctAccounts1h;
  return at;
}

function writeLongHabit(
  out: Float64Array,
  start: number,
  account: AccountHistory,
  minor: number,
  unit: number,
): number {
  const { median, meanSeen } = account;
  let at = start;
  out[at++] = (account.sum24h + minor) / (account.amounts24h + 1) / unit;
  out[at++] = (account.sum7d + minor) / (account.amounts7d + 1) / unit;
  out[at++] = (account.sum30d + minor) / (account.amounts30d + 1) / unit;
  out[at++] = meanSeen / unit;
  out[at++] = minor / meanSeen;
  out[at++] = minor / account.max30d;
  out[at++] = account.max7d / median;
  out[at++] = account.max14d / median;
  out[at++] = account.large14d;
  return at;
}

function writeAccountFrauds(out: Float64Array, start: number, account: AccountHistory): number {
  let at = start;
  out[at++] = account.fraudRate7d;
  out[at++] = account.fraudRate30d;
  out[at++] = account.fraudRate90d;
  out[at++] = account.youngFrauds;
  return at;
}

function writeMerchantFrauds(out: Float64Array, start: number, merchant: MerchantHistory): number {
  let at = start;
  out[at++] = merchant.gapMs / HOUR_MS;
  out[at++] = merchant.matured24h;
  out[at++] = merchant.matured7d;
  out[at++] = merchant.matured30d;
  out[at++] = merchant.fraudRate24h;
  out[at++] = merchant.fraudRate7d;
  out[at++] = merchant.fraudRate30d;
  out[at++] = merchant.fraudRate90d;
  out[at++] = merchant.ordinaryRate7d;
  out[at++] = merchant.youngFrauds;
  out[at++] = merchant.runMs / DAY_MS;
  out[at++] = merchant.firstFraudMs / DAY_MS;
  out[at++] = merchant.firstFraudShare;
  return at;
}
