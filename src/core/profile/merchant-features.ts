/** Writes the features that a merchant's siblings give one of its transactions into the transaction's row. */
import { DAY_MS, dayOf, HOUR_MS } from '../../kit/words/utc-bucket.ts';
import { featureIndex } from '../domain/feature-schema.ts';
import { MERCHANT_DISTINCT_ENTRIES, MERCHANT_HISTORY_DAYS } from '../domain/history.ts';
import type { Arrivals } from './arrivals.ts';
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
import { type PackedList, timeAt } from './packed-list.ts';
import { countTallied, sumTallied } from './tallies.ts';

const COUNTS = featureIndex('merchant_count_1h');
const LABELS = featureIndex('merchant_gap_hours');
/** Hours of the 30 days without the last 24. */
const USUAL_HOURS = 29 * 24;

/** Start of the siblings that a transaction uses. */
export function seenFromMs(ms: number, maturityDays: number): number {
  return dayOf(ms) - (maturityDays + MERCHANT_HISTORY_DAYS) * DAY_MS;
}

/**
 * @param end the arrival's siblings are the tallied ones and the first `end` of the list
 * @param rowAt where the arrival's row begins in `values`
 */
export function writeMerchant(
  profile: MerchantProfile,
  end: number,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  rowAt: number,
): void {
  const { list, tallies, maturityDays, frauds } = profile;
  const ms = arrivals.ms[arrival] as number;
  findWindows(list, tallies, ms, maturityDays);
  writeCounts(profile, end, arrivals, arrival, values, rowAt + COUNTS);
  let at = rowAt + LABELS;
  values[at++] = gapHours(list, end, ms, maturityDays);
  values[at++] = countMatured(MATURED_24H);
  values[at++] = countMatured(MATURED_7D);
  values[at++] = countMatured(MATURED_30D);
  if (frauds.spans.length > 0) writeMerchantFrauds(profile, ms, values, at);
  else writeNoFrauds(values, at);
}

function writeCounts(
  profile: MerchantProfile,
  end: number,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  start: number,
): void {
  const { list, tallies } = profile;
  const currency = arrivals.currency[arrival] as number;
  const minor = arrivals.minor[arrival] as number;
  const siblings = end + countTallied(tallies, Number.POSITIVE_INFINITY);
  const count24h = siblings - (olderThan[FROM_24H] as number);
  const count30d = siblings - (olderThan[FROM_30D] as number);
  const start1h = startsOf[FROM_1H] as number;
  const listed = sumListed(list, startsOf[FROM_30D] as number, end, currency);
  const from30dMs = dayOf(arrivals.ms[arrival] as number) - 29 * DAY_MS;
  const tallied = sumTallied(tallies, from30dMs, currency);
  const amounts = listed.count + tallied.count;
  const mean = amounts === 0 ? Number.NaN : (listed.sum + tallied.sum) / amounts;
  let at = start;
  values[at++] = siblings - (olderThan[FROM_1H] as number);
  values[at++] = count24h;
  values[at++] = siblings - (olderThan[FROM_7D] as number);
  values[at++] = count30d;
  values[at++] = (count30d - count24h) / USUAL_HOURS;
  values[at++] = amounts;
  values[at++] = mean / (arrivals.unit[arrival] as number);
  values[at++] = minor / mean;
  values[at++] = countAccounts(list, Math.max(start1h, end - MERCHANT_DISTINCT_ENTRIES), end);
}

function gapHours(list: PackedList, end: number, ms: number, maturityDays: number): number {
  if (end === 0) return Number.NaN;
  const newestMs = timeAt(list, end - 1);
  return newestMs >= seenFromMs(ms, maturityDays) ? (ms - newestMs) / HOUR_MS : Number.NaN;
}

/** Without frauds, rates and counts are 0 and features of runs are missing. */
function writeNoFrauds(values: Float64Array, start: number): void {
  for (let at = start; at < start + 6; at++) values[at] = 0;
  for (let at = start + 6; at < start + 9; at++) values[at] = Number.NaN;
}
