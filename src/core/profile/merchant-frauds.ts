/** Features from a merchant's known frauds. Runs only for merchants that have some. */
import { DAY_MS, dayOf, hourOf } from '../../kit/words/range.ts';
import { fraudRate, seenFrauds } from './known-frauds.ts';
import type { MerchantProfile } from './merchant-profile.ts';
import { countMatured, MATURED_7D, MATURED_24H, MATURED_30D } from './merchant-windows.ts';
import { countOlder } from './packed-list.ts';
import { countTallied } from './tallies.ts';

type Siblings = Pick<MerchantProfile, 'list' | 'tallies' | 'frauds' | 'maturityDays'>;

const DAYS = 90;
/** Days back to which a run of fraudulent days is followed. */
const RUN_DAYS = 35;
const FIRST_FRAUD_DAYS = 28;
/** Frauds by matured UTC day, the newest first. */
const ordinaryOfDay = new Uint16Array(DAYS);
const unusualOfDay = new Uint16Array(DAYS);

/**
 * Writes the rates of fraud over 24 hours and 7, 30 and 90 matured days, the rate over 7 days without unusual amounts, the
 * frauds since, the newest run of fraudulent days, and the oldest fraud of 28 days.
 */
export function writeMerchantFrauds(
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
    const day = dayIndex(createdAtMs, today);
    const ofDay = isUnusual ? unusualOfDay : ordinaryOfDay;
    ofDay[day] = (ofDay[day] ?? 0) + 1;
    if (createdAtMs >= toMs - DAY_MS) of24h++;
    if (day < FIRST_FRAUD_DAYS) firstMs = createdAtMs;
  }
  return { young, of24h, firstMs };
}

/** 0 for the newest day. */
function dayIndex(ms: number, today: number): number {
  return Math.floor((today + DAY_MS - 1 - ms) / DAY_MS);
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
