/** Features from a merchant's known frauds. Runs only for merchants that have some. */
import type { MerchantProfile } from '../../../src/core/profile/merchant-profile.ts';
import type { MerchantHistory } from './histories.ts';
import { countBeforeBucket, type MaturedWindows } from './merchant-matured.ts';
import { DAY_MS, dayOf, fraudRate, seenFrauds } from './packed.ts';

/** The longest window. */
const DAYS = 90;
/** Days back to which a run of fraudulent days is followed. */
const RUN_DAYS = 35;
const FIRST_FRAUD_DAYS = 28;
/** Frauds by matured UTC day, the newest first. */
const ordinaryOfDay = new Uint16Array(DAYS);
const unusualOfDay = new Uint16Array(DAYS);

export function countMerchantFrauds(
  profile: MerchantProfile,
  ms: number,
  windows: MaturedWindows,
  history: MerchantHistory,
): void {
  const { toMs, from24hMs, from90dMs } = windows;
  const today = dayOf(toMs);
  let [young, of24h, firstMs] = [0, 0, Number.NaN];
  ordinaryOfDay.fill(0);
  unusualOfDay.fill(0);
  // The newest come first.
  for (const { createdAtMs, isUnusual } of seenFrauds(profile.frauds.spans, ms, from90dMs)) {
    if (createdAtMs >= toMs) {
      young++;
      continue;
    }
    const day = dayIndex(createdAtMs, today);
    const ofDay = isUnusual ? unusualOfDay : ordinaryOfDay;
    ofDay[day] = (ofDay[day] ?? 0) + 1;
    if (createdAtMs >= from24hMs) of24h++;
    if (day < FIRST_FRAUD_DAYS) firstMs = createdAtMs;
  }
  const { matured24h, matured7d, matured30d } = history;
  const end = countBeforeBucket(profile, toMs);
  const ordinary7d = sumDays(ordinaryOfDay, 7);
  const unusual7d = sumDays(unusualOfDay, 7);
  const matured90d = end - countBeforeBucket(profile, from90dMs);
  history.fraudRate24h = fraudRate(of24h, matured24h);
  history.fraudRate7d = fraudRate(ordinary7d + unusual7d, matured7d);
  history.fraudRate30d = fraudRate(countFrauds(30), matured30d);
  history.fraudRate90d = fraudRate(countFrauds(DAYS), matured90d);
  history.ordinaryRate7d = fraudRate(ordinary7d, matured7d - unusual7d);
  history.youngFrauds = young;
  if (!Number.isNaN(firstMs)) {
    const siblings = end - countBeforeBucket(profile, dayOf(firstMs));
    history.firstFraudMs = ms - firstMs;
    history.firstFraudShare = countFrauds(FIRST_FRAUD_DAYS) / siblings;
  }
  history.runMs = ms - findRun(profile, today, toMs);
}

/** 0 for the newest day. */
function dayIndex(ms: number, today: number): number {
  return Math.floor((today + DAY_MS - 1 - ms) / DAY_MS);
}

/** Sum over this many of the newest days. */
function countFrauds(days: number): number {
  return sumDays(ordinaryOfDay, days) + sumDays(unusualOfDay, days);
}

function sumDays(ofDay: Uint16Array, days: number): number {
  let sum = 0;
  for (let day = 0; day < days; day++) sum += ofDay[day] ?? 0;
  return sum;
}

/** The oldest day of the newest unbroken run of days; NaN without one. Unusual frauds are left out of both sides. */
function findRun(profile: MerchantProfile, today: number, toMs: number): number {
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
