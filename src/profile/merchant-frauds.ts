/** What a merchant's known frauds say about one transaction. Runs only for merchants that have some. */
import type { FraudSpan, MerchantHistory } from '../domain/history.ts';
import { DAY_MS, dayOf, hourOf } from '../domain/utc-bucket.ts';
import { countCreated, fraudRate, seenFrauds } from './known-frauds.ts';
import type { MerchantProfile } from './merchant-profile.ts';
import { countOlder } from './packed-list.ts';

/** How far back a run of fraudulent days is followed. */
const RUN_DAYS = 35;
const FIRST_FRAUD_DAYS = 28;
/** Siblings by matured UTC day, the newest first. */
const siblingsOfDay = new Float64Array(RUN_DAYS);
const fraudsOfDay = new Float64Array(RUN_DAYS);

export function countMerchantFrauds(
  profile: MerchantProfile,
  ms: number,
  history: MerchantHistory,
): void {
  const matureMs = ms - profile.maturityDays * DAY_MS;
  const toMs = hourOf(matureMs);
  const today = dayOf(matureMs);
  const known = seenFrauds(profile.frauds, ms);
  const since = (fromMs: number) => countCreated(known, fromMs, toMs);
  const [from24hMs, from7dMs] = [toMs - DAY_MS, today - 6 * DAY_MS];
  const [from30dMs, from90dMs] = [today - 29 * DAY_MS, today - 89 * DAY_MS];
  history.fraudRate24h = fraudRate(since(from24hMs), history.matured24h);
  history.fraudRate7d = fraudRate(since(from7dMs), history.matured7d);
  history.fraudRate30d = fraudRate(since(from30dMs), history.matured30d);
  const siblings90d = countSiblings(profile, from90dMs, toMs);
  history.fraudRate90d = fraudRate(since(from90dMs), siblings90d);
  history.youngFrauds = countCreated(known, toMs, ms);
  const unusual = known.filter(({ isUnusual }) => isUnusual);
  const unusual7d = countCreated(unusual, from7dMs, toMs);
  const ordinary7d = history.matured7d - unusual7d;
  history.ordinaryRate7d = fraudRate(since(from7dMs) - unusual7d, ordinary7d);
  findFirst(profile, known, { ms, toMs, fromMs: today - (FIRST_FRAUD_DAYS - 1) * DAY_MS }, history);
  findRun(profile, known, { ms, toMs, fromMs: today - (RUN_DAYS - 1) * DAY_MS }, history);
}

type Window = { readonly ms: number; readonly fromMs: number; readonly toMs: number };

/** Siblings created in [fromMs, toMs), which begin and end with hours that tallies tell apart. */
function countSiblings({ list, tallies }: MerchantProfile, fromMs: number, toMs: number): number {
  let siblings = countOlder(list, toMs) - countOlder(list, fromMs);
  for (const { bucketMs, count } of tallies) {
    if (bucketMs >= fromMs && bucketMs < toMs) siblings += count;
  }
  return siblings;
}

/** @param known newest first */
function findFirst(
  profile: MerchantProfile,
  known: readonly FraudSpan[],
  { ms, fromMs, toMs }: Window,
  history: MerchantHistory,
): void {
  const first = known.findLast((span) => span.createdAtMs >= fromMs && span.createdAtMs < toMs);
  if (first === undefined) return;
  const dayMs = dayOf(first.createdAtMs);
  const frauds = countCreated(known, dayMs, toMs);
  history.firstFraudMs = ms - first.createdAtMs;
  history.firstFraudShare = frauds / countSiblings(profile, dayMs, toMs);
}

function findRun(
  profile: MerchantProfile,
  known: readonly FraudSpan[],
  { ms, fromMs, toMs }: Window,
  history: MerchantHistory,
): void {
  countByDay(profile, fromMs, toMs);
  fraudsOfDay.fill(0);
  for (const { createdAtMs, isUnusual } of known) {
    if (createdAtMs < fromMs || createdAtMs >= toMs) continue;
    const day = dayIndex(createdAtMs, fromMs);
    // Unusual ones are left out of both sides.
    if (isUnusual) siblingsOfDay[day] = (siblingsOfDay[day] ?? 0) - 1;
    else fraudsOfDay[day] = (fraudsOfDay[day] ?? 0) + 1;
  }
  for (let day = 0; day < RUN_DAYS; day++) {
    const siblings = siblingsOfDay[day] ?? 0;
    if (siblings <= 0) continue;
    const isFraudulent = 2 * (fraudsOfDay[day] ?? 0) >= siblings;
    if (isFraudulent) history.runMs = ms - (fromMs + (RUN_DAYS - 1 - day) * DAY_MS);
    else if (!Number.isNaN(history.runMs)) return;
  }
}

function countByDay({ list, tallies }: MerchantProfile, fromMs: number, toMs: number): void {
  siblingsOfDay.fill(0);
  let end = countOlder(list, toMs);
  for (let day = 0; day < RUN_DAYS && end > 0; day++) {
    const start = countOlder(list, fromMs + (RUN_DAYS - 1 - day) * DAY_MS);
    siblingsOfDay[day] = end - start;
    end = start;
  }
  for (const { bucketMs, count } of tallies) {
    if (bucketMs < fromMs || bucketMs >= toMs) continue;
    const day = dayIndex(bucketMs, fromMs);
    siblingsOfDay[day] = (siblingsOfDay[day] ?? 0) + count;
  }
}

/** 0 for the newest day of the window. */
function dayIndex(ms: number, fromMs: number): number {
  return RUN_DAYS - 1 - Math.floor((ms - fromMs) / DAY_MS);
}
