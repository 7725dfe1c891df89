/** The features that a merchant's siblings give one of its transactions, written into the transaction's row. */
import { DAY_MS, dayOf, HOUR_MS } from '../../kit/words/range.ts';
import { featureIndex } from '../domain/feature-schema.ts';
import { MERCHANT_DISTINCT_ENTRIES, MERCHANT_HISTORY_DAYS } from '../domain/history.ts';
import { type Arrivals, keyOfArrival } from './arrivals.ts';
import { writeMerchantFrauds } from './merchant-frauds.ts';
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
} from './merchant-windows.ts';
import { countBefore, type PackedList, timeAt } from './packed-list.ts';
import { AT_THE_END, countTallied, sumTallied } from './tallies.ts';

const COUNTS = featureIndex('merchant_count_1h');
const LABELS = featureIndex('merchant_gap_hours');
/** Hours of the 30 days without the last 24. */
const USUAL_HOURS = 29 * 24;

/** Start of the siblings that a transaction uses. */
export function seenFromMs(ms: number, maturityDays: number): number {
  return dayOf(ms) - (maturityDays + MERCHANT_HISTORY_DAYS) * DAY_MS;
}

/** What a list begins after. */
export type Tallied = {
  /** Tallies count up to here. */
  readonly untilMs: number;
  /** Of the newest sibling that is tallied alone; NaN where the list has the newest one, or there is none. */
  readonly newestMs: number;
};

/** The list, and tallies up to their end, have every sibling. */
export const ALL_TALLIES: Tallied = { untilMs: AT_THE_END, newestMs: Number.NaN };

/** Siblings by the hour, before the arrival and after it. */
export type MerchantHours = Pick<MerchantProfile, 'tallies' | 'frauds' | 'maturityDays'>;

/**
 * As `fold` of a profile that has every sibling, and changes nothing.
 * @param list has the siblings of the arrival's own hour, and tallies those before it
 */
export function writeLate(
  hours: MerchantHours,
  list: PackedList,
  tallied: Tallied,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  rowAt: number,
): void {
  const end = countBefore(list, keyOfArrival(arrivals, arrival));
  writeMerchant({ ...hours, list }, end, tallied, arrivals, arrival, values, rowAt);
}

type Siblings = MerchantHours & Pick<MerchantProfile, 'list'>;

/**
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
