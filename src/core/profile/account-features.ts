/** Writes the features that an account's siblings give one of its transactions into the transaction's row. */
import { DAY_MS, HOUR_MS } from '../../kit/words/range.ts';
import { featureIndex } from '../domain/feature-schema.ts';
import { type KnownFrauds, LARGE_MEDIANS } from '../domain/history.ts';
import { hourSurprise } from '../score/scorecard/day-evidence.ts';
import { type Numbers, writeRatios } from './account-numbers.ts';
import {
  amountsOf,
  amountsSeen,
  COUNTRY_BITS,
  countMerchants,
  DAY,
  DAYS_3,
  DAYS_7,
  DAYS_14,
  DAYS_30,
  HOUR,
  hoursOf,
  largestOf,
  parties,
  passParties,
  passWindows,
  SEEN,
  siblingsOf,
  sumOf,
} from './account-profile.ts';
import { selectRank } from './arithmetic.ts';
import type { Arrivals } from './arrivals.ts';
import { firstAfter, type PackedList, timeAt } from './packed-list.ts';
import { countCreated, fraudRate, seenFrauds } from './tallies.ts';

const SIBLINGS = featureIndex('siblings');
const LONG_HABIT = featureIndex('mean_24h_here');
const FRAUDS = featureIndex('fraud_rate_7d');
const HOUR_OF_DAY = featureIndex('hour');
const HOUR_SURPRISE = featureIndex('hour_surprise');
const FRAUD_FEATURES = 4;
/** Least and greatest span over which an average day is computed, in days. */
const USUAL_DAYS_MIN = 1;
const USUAL_DAYS_MAX = 30;
/** An amount from this share of the reporting limit on is near it. */
const NEAR_LIMIT_SHARE = 0.8;
/** A sum of integers below this is exact, in any order of adding. */
const EXACT_MAX = 2 ** 53;

/** @param rowAt where the arrival's row begins in `values` */
export function writeAccount(
  source: AccountSource,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  rowAt: number,
): void {
  const { list, end, frauds, numbers } = source;
  const ms = arrivals.ms[arrival] as number;
  passWindows(list, end, ms, arrivals.currency[arrival] as number);
  const siblings = siblingsOf[SEEN] as number;
  const start = end - siblings;
  passParties(list, start, end, arrivals, arrival);
  countMerchants(list, end - (siblingsOf[DAY] as number), end - (siblingsOf[HOUR] as number), end);
  const minor = arrivals.minor[arrival] as number;
  const unit = arrivals.unit[arrival] as number;
  const limit = arrivals.limit[arrival] as number;
  const spanMs = siblings === 0 ? Number.NaN : ms - timeAt(list, start);
  let at = rowAt + SIBLINGS;
  at = writeVelocity(values, at, spanMs / DAY_MS, minor, unit, limit);
  at = writeHabit(values, at, minor, unit);
  values[at++] = limit > 0 ? countNearLimit(limit) : Number.NaN;
  writeFamiliarity(values, at, source, arrivals, arrival);
  writeLongHabit(values, rowAt + LONG_HABIT, minor, unit);
  values[rowAt + HOUR_SURPRISE] = hourSurprise(
    hoursOf,
    arrivals.hours[arrival] as Float64Array,
    values[rowAt + HOUR_OF_DAY] as number,
  );
  if (numbers.version !== 0) {
    writeRatios(list, numbers, [start, end], arrivals.numbers[arrival], values, rowAt);
  }
  if (siblings > 0 && frauds.spans.length > 0) {
    writeAccountFrauds(source, start, ms, values, rowAt + FRAUDS);
  } else for (let of = 0; of < FRAUD_FEATURES; of++) values[rowAt + FRAUDS + of] = 0;
}

function writeVelocity(
  values: Float64Array,
  start: number,
  spanDays: number,
  minor: number,
  unit: number,
  limit: number,
): number {
  const siblings = siblingsOf[SEEN] as number;
  const count30d = siblingsOf[DAYS_30] as number;
  const sum24h = sumOf[DAY] as number;
  const sum30d = sumOf[DAYS_30] as number;
  const atLeastADay = Math.max(USUAL_DAYS_MIN, spanDays);
  const days = Math.min(USUAL_DAYS_MAX, atLeastADay);
  let at = start;
  values[at++] = siblings;
  values[at++] = spanDays;
  values[at++] = siblingsOf[HOUR] as number;
  values[at++] = siblingsOf[DAY] as number;
  values[at++] = siblingsOf[DAYS_7] as number;
  values[at++] = count30d;
  // Spans are at least a day, as an account's second transaction would otherwise follow a rate of thousands.
  values[at++] = siblings / (atLeastADay * 24);
  values[at++] = count30d / days;
  values[at++] = (sumOf[HOUR] as number) / unit;
  values[at++] = sum24h / unit;
  values[at++] = (sumOf[DAYS_7] as number) / unit;
  values[at++] = sum30d / unit;
  values[at++] = sum30d > 0 ? (sum24h + minor) / (sum30d / days) : Number.NaN;
  values[at++] = (sum24h + minor) / limit;
  return at;
}

/** Stores the median for the features that follow. */
function writeHabit(values: Float64Array, start: number, minor: number, unit: number): number {
  const amounts = amountsOf[SEEN] as number;
  const amounts30d = amountsOf[DAYS_30] as number;
  const mean30d = (sumOf[DAYS_30] as number) / amounts30d;
  const deviation30d = deviationOf(amounts30d, mean30d);
  rankAmounts(amounts);
  const median = rankedAmounts[0] as number;
  let at = start;
  values[at++] = amounts;
  values[at++] = median / unit;
  values[at++] = minor / median;
  values[at++] = minor / (rankedAmounts[1] as number);
  values[at++] = mean30d / unit;
  values[at++] = deviation30d / unit;
  values[at++] = largestIn(DAYS_30) / unit;
  values[at++] = minor / mean30d;
  values[at++] = deviation30d > 0 ? (minor - mean30d) / deviation30d : Number.NaN;
  return at;
}

const rankedAmounts = new Float64Array(2);
const ranking = new Float64Array(amountsSeen.length);

/** Ranks as in SQL's percentile_disc; NaN without an amount. */
function rankAmounts(amounts: number): void {
  if (amounts === 0) {
    rankedAmounts.fill(Number.NaN);
    return;
  }
  // A copy, as sums of `amountsSeen` depend on its order.
  for (let index = 0; index < amounts; index++) ranking[index] = amountsSeen[index] as number;
  const median = ((amounts + 1) >> 1) - 1;
  const high = amounts - Math.floor(amounts / 10) - 1;
  rankedAmounts[0] = selectRank(ranking, 0, amounts - 1, median);
  rankedAmounts[1] = selectRank(ranking, median, amounts - 1, high);
}

/**
 * Sample standard deviation of the newest amounts. Each step is rounded, so the order stays the same: newest
 * first.
 */
function deviationOf(amounts: number, mean: number): number {
  if (amounts < 2) return Number.NaN;
  let squares = 0;
  for (let index = 0; index < amounts; index++) {
    const away = (amountsSeen[index] as number) - mean;
    squares += away * away;
  }
  return Math.sqrt(squares / (amounts - 1));
}

/** NaN without an amount. */
function largestIn(window: number): number {
  return amountsOf[window] === 0 ? Number.NaN : (largestOf[window] as number);
}

function countNearLimit(limit: number): number {
  const least = limit * NEAR_LIMIT_SHARE;
  const amounts = amountsOf[DAYS_3] as number;
  let count = 0;
  for (let index = 0; index < amounts; index++) {
    const amount = amountsSeen[index] as number;
    if (amount >= least && amount < limit) count++;
  }
  return count;
}

function writeFamiliarity(
  values: Float64Array,
  start: number,
  { list, end }: AccountSource,
  arrivals: Arrivals,
  arrival: number,
): void {
  const siblings = siblingsOf[SEEN] as number;
  const ms = arrivals.ms[arrival] as number;
  const country = (arrivals.route[arrival] as number) & COUNTRY_BITS;
  const { newestCountry } = parties;
  // Without a country here or among the siblings, both features are missing.
  const hasCountries = country !== 0 && newestCountry !== 0;
  const isAway = hasCountries && newestCountry !== country;
  const hasDevices = arrivals.device[arrival] !== 0 && parties.device === 1;
  let at = start;
  values[at++] = parties.merchants1h;
  values[at++] = parties.merchants24h;
  values[at++] = siblings === 0 ? Number.NaN : 1 - parties.sameMerchant;
  values[at++] = siblings === 0 ? Number.NaN : 1 - parties.sameCorridor;
  values[at++] = hasCountries ? 1 - parties.sameCountry : Number.NaN;
  values[at++] = hasDevices ? 1 - parties.sameDevice : Number.NaN;
  values[at++] = siblings === 0 ? Number.NaN : (ms - timeAt(list, end - 1)) / HOUR_MS;
  values[at++] = isAway ? (ms - timeAt(list, parties.newestCountryAt)) / HOUR_MS : Number.NaN;
  values[at++] = parties.nights / siblings;
}

function writeLongHabit(values: Float64Array, start: number, minor: number, unit: number): void {
  const median = rankedAmounts[0] as number;
  const meanSeen = sumSeen() / (amountsOf[SEEN] as number);
  let at = start;
  values[at++] = meanHere(DAY, minor) / unit;
  values[at++] = meanHere(DAYS_7, minor) / unit;
  values[at++] = meanHere(DAYS_30, minor) / unit;
  values[at++] = meanSeen / unit;
  values[at++] = minor / meanSeen;
  values[at++] = minor / largestIn(DAYS_30);
  values[at++] = largestIn(DAYS_7) / median;
  values[at++] = largestIn(DAYS_14) / median;
  values[at++] = countLarge(LARGE_MEDIANS * median);
}

function meanHere(window: number, minor: number): number {
  return ((sumOf[window] as number) + minor) / ((amountsOf[window] as number) + 1);
}

function sumSeen(): number {
  const sum = sumOf[SEEN] as number;
  if (sum < EXACT_MAX) return sum;
  let rounded = 0;
  for (let index = (amountsOf[SEEN] as number) - 1; index >= 0; index--) {
    rounded += amountsSeen[index] as number;
  }
  return rounded;
}

/** Counts the amounts of 14 days above a bound. */
function countLarge(least: number): number {
  const amounts = amountsOf[DAYS_14] as number;
  let count = 0;
  for (let index = 0; index < amounts; index++) {
    if ((amountsSeen[index] as number) > least) count++;
  }
  return count;
}

/** The siblings, which are the first `end` records of a list, and the known frauds of the account. */
type AccountSource = {
  readonly list: PackedList;
  readonly end: number;
  readonly frauds: KnownFrauds;
  readonly numbers: Numbers;
  /** Days after which the labels of a transaction count as complete. */
  readonly maturityMs: number;
};

/**
 * As known at `ms`: rates of fraud among the siblings [start, end) that were created in (t - d - w, t - d], d
 * being the maturity of labels and w 7, 30 and 90 days, and the known frauds of (t - d, t).
 */
export function writeAccountFrauds(
  { list, end, frauds, maturityMs }: AccountSource,
  start: number,
  ms: number,
  values: Float64Array,
  at: number,
): void {
  const oldestMs = timeAt(list, start);
  const known = seenFrauds(frauds, ms, oldestMs);
  const matureMs = ms - maturityMs;
  const mature = firstAfter(list, start, end, matureMs);
  // Windows are (from, to] of whole milliseconds; spans are counted in [from, to).
  const rate = (days: number) => {
    const fromMs = matureMs - days * DAY_MS;
    const frauds = countCreated(known, fromMs + 1, matureMs + 1);
    return fraudRate(frauds, mature - firstAfter(list, start, mature, fromMs));
  };
  values[at] = rate(7);
  values[at + 1] = rate(30);
  values[at + 2] = rate(90);
  values[at + 3] = countCreated(known, matureMs + 1, ms);
}
