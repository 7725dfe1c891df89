/** The features that a merchant's siblings give one of its transactions, written into the transaction's row. */
import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../../kit/words/range.ts';
import { featureIndex } from '../domain/feature-schema.ts';
import { MERCHANT_DISTINCT_ENTRIES, MERCHANT_HISTORY_DAYS } from '../domain/history.ts';
import type { Arrivals } from './arrivals.ts';
import type { MerchantProfile } from './merchant-profile.ts';
import {
  countAccounts,
  countMatured,
  FROM_1H,
  FROM_7D,
  FROM_24H,
  FROM_30D,
  findWindows,
  MATURED_7D,
  MATURED_24H,
  MATURED_30D,
  olderThan,
  startsOf,
  sumListed,
} from './merchant-profile.ts';
import { countOlder, timeAt } from './packed-list.ts';
import { AT_THE_END, countTallied, fraudRate, seenFrauds, sumTallied } from './tallies.ts';

const COUNTS = featureIndex('merchant_count_1h');
const LABELS = featureIndex('merchant_gap_hours');
/** Hours of the 30 days without the last 24. */
const USUAL_HOURS = 29 * 24;

/** Start of the siblings that a transaction uses. */
export function seenFromMs(ms: number, maturityDays: number): number {
  return dayOf(ms) - (maturityDays + MERCHANT_HISTORY_DAYS) * DAY_MS;
}

/** The siblings that a list begins after. */
export type Tallied = {
  /** Tallies count up to here. */
  readonly untilMs: number;
  /** Time of the newest sibling that is tallied alone; NaN where the list has the newest sibling, or there is none. */
  readonly newestMs: number;
};

/** The list, and tallies up to their end, have every sibling. */
export const ALL_TALLIES: Tallied = { untilMs: AT_THE_END, newestMs: Number.NaN };

type Siblings = Pick<MerchantProfile, 'list' | 'tallies' | 'frauds' | 'maturityDays'>;

/**
 * @param profile may have siblings after the arrival as well
 * @param end the arrival's siblings are the tallied ones and the first `end` of the list
 * @param rowAt where the arrival's row begins in `values`
 */
export function writeMerchant(
  profile: Siblings,
  end: number,
  tallied: Tallied,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  rowAt: number,
): void {
  const { list, tallies, maturityDays, frauds } = profile;
  const ms = arrivals.ms[arrival] as number;
  findWindows(list, tallies, ms, maturityDays);
  writeCounts(profile, end, tallied, arrivals, arrival, values, rowAt + COUNTS);
  let at = rowAt + LABELS;
  const newestMs = end === 0 ? tallied.newestMs : timeAt(list, end - 1);
  values[at++] = newestMs >= seenFromMs(ms, maturityDays) ? (ms - newestMs) / HOUR_MS : Number.NaN;
  values[at++] = countMatured(MATURED_24H);
  values[at++] = countMatured(MATURED_7D);
  values[at++] = countMatured(MATURED_30D);
  if (frauds.spans.length > 0) writeMerchantFrauds(profile, ms, values, at);
  else writeNoFrauds(values, at);
}

function writeCounts(
  { list, tallies }: Siblings,
  end: number,
  { untilMs }: Tallied,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  start: number,
): void {
  const currency = arrivals.currency[arrival] as number;
  const minor = arrivals.minor[arrival] as number;
  const siblings = end + countTallied(tallies, untilMs);
  const count24h = siblings - (olderThan[FROM_24H] as number);
  const count30d = siblings - (olderThan[FROM_30D] as number);
  const start1h = startsOf[FROM_1H] as number;
  const listed = sumListed(list, startsOf[FROM_30D] as number, end, currency);
  const from30dMs = dayOf(arrivals.ms[arrival] as number) - 29 * DAY_MS;
  const tallied = sumTallied(tallies, from30dMs, untilMs, currency);
  const amounts = listed.count + tallied.count;
  const sum = listed.sum + tallied.sum;
  const mean = amounts === 0 ? Number.NaN : sum / amounts;
  let at = start;
  values[at++] = siblings - (olderThan[FROM_1H] as number);
  values[at++] = count24h;
  values[at++] = siblings - (olderThan[FROM_7D] as number);
  values[at++] = count30d;
  values[at++] = (count30d - count24h) / USUAL_HOURS;
  values[at++] = amounts;
  values[at++] = mean / (arrivals.unit[arrival] as number);
  values[at++] = minor / mean;
  const newest = Math.max(start1h, end - MERCHANT_DISTINCT_ENTRIES);
  values[at++] = countAccounts(list, newest, end);
}

/** Without frauds, rates and counts are 0 and features of runs are missing. */
function writeNoFrauds(values: Float64Array, start: number): void {
  for (let at = start; at < start + 6; at++) values[at] = 0;
  for (let at = start + 6; at < start + 9; at++) values[at] = Number.NaN;
}

const DAYS = 90;
/** Days back to which a run of fraudulent days is followed. */
const RUN_DAYS = 35;
const FIRST_FRAUD_DAYS = 28;
/** Frauds by matured UTC day, the newest first. */
const ordinaryOfDay = new Uint16Array(DAYS);
const unusualOfDay = new Uint16Array(DAYS);

/**
 * Writes the rates of fraud over 24 hours and 7, 30 and 90 matured days, the rate over 7 days without unusual amounts, the
 * frauds since, the newest run of fraudulent days, and the oldest fraud of 28 days. Runs only for merchants with known frauds.
 */
function writeMerchantFrauds(
  profile: Siblings,
  ms: number,
  values: Float64Array,
  start: number,
): void {
  const { maturityDays } = profile;
  const toMs = hourOf(ms - maturityDays * DAY_MS);
  const today = dayOf(toMs);
  const from90dMs = today - (DAYS - 1) * DAY_MS;
  const { young, of24h, firstMs } = countByDay(profile, ms, toMs, from90dMs);
  const matured7d = countMatured(MATURED_7D);
  const end = countBeforeBucket(profile, toMs);
  const ordinary7d = sumDays(ordinaryOfDay, 7);
  const unusual7d = sumDays(unusualOfDay, 7);
  const matured90d = end - countBeforeBucket(profile, from90dMs);
  let at = start;
  values[at++] = fraudRate(of24h, countMatured(MATURED_24H));
  values[at++] = fraudRate(ordinary7d + unusual7d, matured7d);
  values[at++] = fraudRate(countFrauds(30), countMatured(MATURED_30D));
  values[at++] = fraudRate(countFrauds(DAYS), matured90d);
  values[at++] = fraudRate(ordinary7d, matured7d - unusual7d);
  values[at++] = young;
  values[at++] = (ms - findRun(profile, today, toMs)) / DAY_MS;
  values[at++] = (ms - firstMs) / DAY_MS;
  values[at++] = Number.isNaN(firstMs)
    ? Number.NaN
    : countFrauds(FIRST_FRAUD_DAYS) / (end - countBeforeBucket(profile, dayOf(firstMs)));
}

/**
 * Counts the frauds of each matured day, those since then and those of 24 hours, and finds the time of the
 * first of 28 days.
 */
function countByDay({ frauds }: Siblings, ms: number, toMs: number, from90dMs: number) {
  const today = dayOf(toMs);
  let [young, of24h, firstMs] = [0, 0, Number.NaN];
  ordinaryOfDay.fill(0);
  unusualOfDay.fill(0);
  // The newest come first.
  for (const { createdAtMs, isUnusual } of seenFrauds(frauds, ms, from90dMs)) {
    if (createdAtMs >= toMs) {
      young++;
      continue;
    }
    // 0 for the newest day.
    const day = Math.floor((today + DAY_MS - 1 - createdAtMs) / DAY_MS);
    const ofDay = isUnusual ? unusualOfDay : ordinaryOfDay;
    ofDay[day] = (ofDay[day] ?? 0) + 1;
    if (createdAtMs >= toMs - DAY_MS) of24h++;
    if (day < FIRST_FRAUD_DAYS) firstMs = createdAtMs;
  }
  return { young, of24h, firstMs };
}

function countFrauds(days: number): number {
  return sumDays(ordinaryOfDay, days) + sumDays(unusualOfDay, days);
}

function sumDays(ofDay: Uint16Array, days: number): number {
  let sum = 0;
  for (let day = 0; day < days; day++) sum += ofDay[day] ?? 0;
  return sum;
}

/** The oldest day of the newest unbroken run of days; NaN without one. Unusual frauds are left out of both sides. */
function findRun(profile: Siblings, today: number, toMs: number): number {
  let runFromMs = Number.NaN;
  for (let day = 0; day < RUN_DAYS; day++) {
    const frauds = ordinaryOfDay[day] ?? 0;
    // A day without frauds can only end a run.
    if (frauds === 0 && Number.isNaN(runFromMs)) continue;
    const fromMs = today - day * DAY_MS;
    const endMs = Math.min(fromMs + DAY_MS, toMs);
    const siblings = countBeforeBucket(profile, endMs) - countBeforeBucket(profile, fromMs);
    const ordinary = siblings - (unusualOfDay[day] ?? 0);
    if (ordinary <= 0) continue;
    if (2 * frauds >= ordinary) runFromMs = fromMs;
    else if (!Number.isNaN(runFromMs)) break;
  }
  return runFromMs;
}

/** Counts siblings older than the beginning of an hour, or of a UTC day where tallies have no hours. */
function countBeforeBucket({ list, tallies }: Siblings, ms: number): number {
  return countOlder(list, ms) + countTallied(tallies, ms);
}
