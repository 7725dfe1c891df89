/**
 * The windows of a merchant's transaction over the list and the tallies. Windows begin with whole hours and days; the next
 * transaction overwrites these windows.
 */
import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../../kit/words/range.ts';
import { addDistinct, beginDistinct } from './distinct.ts';
import { accountAt, amountAt, currencyAt } from './merchant-profile.ts';
import { countOlder, type PackedList } from './packed-list.ts';
import { countTallied, type Tallies } from './tallies.ts';

/** Indexes of bounds: where the windows of all siblings begin, the longest first. */
export const FROM_30D = 0;
export const FROM_7D = 1;
export const FROM_24H = 2;
export const FROM_1H = 3;
/** Where the windows of siblings with mature labels begin, and where all of these end. */
export const MATURED_30D = 4;
export const MATURED_7D = 5;
export const MATURED_24H = 6;
const MATURED_END = 7;
const BOUNDS = 8;

const boundsMs = new Float64Array(BOUNDS);
/** By bound: how many records of the list are older, which is the position where a window begins. */
export const startsOf: Uint32Array = new Uint32Array(BOUNDS);
/** By bound: how many siblings are older, tallied ones included. */
export const olderThan: Float64Array = new Float64Array(BOUNDS);

export function findWindows(
  list: PackedList,
  tallies: Tallies,
  ms: number,
  maturityDays: number,
): void {
  setBounds(hourOf(ms), maturityDays);
  let from = 0;
  for (let bound = 0; bound < BOUNDS; bound++) {
    // Each shorter window begins within the longer one.
    if (bound === MATURED_30D) from = 0;
    from = countOlder(list, boundsMs[bound] as number, from);
    startsOf[bound] = from;
    olderThan[bound] = from + countTallied(tallies, boundsMs[bound] as number);
  }
}

function setBounds(hour: number, maturityDays: number): void {
  const matureHour = hour - maturityDays * DAY_MS;
  boundsMs[FROM_30D] = dayOf(hour) - 29 * DAY_MS;
  boundsMs[FROM_7D] = dayOf(hour) - 6 * DAY_MS;
  boundsMs[FROM_24H] = hour - 23 * HOUR_MS;
  boundsMs[FROM_1H] = hour;
  boundsMs[MATURED_30D] = dayOf(matureHour) - 29 * DAY_MS;
  boundsMs[MATURED_7D] = dayOf(matureHour) - 6 * DAY_MS;
  boundsMs[MATURED_24H] = matureHour - DAY_MS;
  boundsMs[MATURED_END] = matureHour;
}

export function countMatured(bound: number): number {
  return (olderThan[MATURED_END] as number) - (olderThan[bound] as number);
}

/**
 * Sum (minor units) and count of the records [from, to) of a currency. The oldest come first, as an addition beyond 2^53 is
 * rounded.
 */
export function sumListed(
  list: PackedList,
  from: number,
  to: number,
  currency: number,
): { readonly sum: number; readonly count: number } {
  let [sum, count] = [0, 0];
  for (let index = from; index < to; index++) {
    if (currencyAt(list, index) !== currency) continue;
    sum += amountAt(list, index);
    count += 1;
  }
  return { sum, count };
}

/** How many accounts the records [from, to) have. */
export function countAccounts(list: PackedList, from: number, to: number): number {
  beginDistinct();
  let accounts = 0;
  for (let index = from; index < to; index++) accounts = addDistinct(accountAt(list, index));
  return accounts;
}
