/**
 * A pass over an account's list, from the newest sibling to the oldest visible one: counts, sums and maxima
 * of all windows, each of which is the beginning of a longer one. The next pass overwrites the results.
 */
import { DAY_MS, HOUR_MS } from '../../kit/words/utc-bucket.ts';
import { ACCOUNT_HISTORY_DAYS, ACCOUNT_HISTORY_ENTRIES } from '../domain/history.ts';
import { ACCOUNT_RECORD_BYTES, AMOUNT_AT, CURRENCY_AT, CURRENCY_BITS } from './account-profile.ts';
import type { PackedList } from './packed-list.ts';

/** Windows are (t - length, t] to the millisecond. */
const LENGTHS_MS = [
  HOUR_MS,
  DAY_MS,
  3 * DAY_MS,
  7 * DAY_MS,
  14 * DAY_MS,
  30 * DAY_MS,
  ACCOUNT_HISTORY_DAYS * DAY_MS,
];
/** Indexes of the windows; SEEN has all visible siblings. */
export const HOUR = 0;
export const DAY = 1;
export const DAYS_3 = 2;
export const DAYS_7 = 3;
export const DAYS_14 = 4;
export const DAYS_30 = 5;
export const SEEN = 6;
const WINDOWS = LENGTHS_MS.length;

/** By window: siblings, those of the same currency, and their sum and maximum in minor units (0 without any). */
export const siblingsOf: Uint16Array = new Uint16Array(WINDOWS);
export const amountsOf: Uint16Array = new Uint16Array(WINDOWS);
export const sumOf: Float64Array = new Float64Array(WINDOWS);
export const largestOf: Float64Array = new Float64Array(WINDOWS);
/** Same-currency amounts, the newest first: those of a window are the first `amountsOf` it. */
export const amountsSeen: Float64Array<ArrayBuffer> = new Float64Array(ACCOUNT_HISTORY_ENTRIES);

/** @param end how many records of the list are siblings of a transaction at `ms` */
export function passWindows(
  { records }: PackedList,
  end: number,
  ms: number,
  currency: number,
): void {
  const floor = Math.max(0, end - ACCOUNT_HISTORY_ENTRIES);
  let index = end;
  let amounts = 0;
  let sum = 0;
  let largest = 0;
  for (let window = 0; window < WINDOWS; window++) {
    const sinceMs = ms - (LENGTHS_MS[window] as number);
    for (; index > floor; index--) {
      const at = (index - 1) * ACCOUNT_RECORD_BYTES;
      if (records.getFloat64(at, true) <= sinceMs) break;
      if ((records.getUint16(at + CURRENCY_AT, true) & CURRENCY_BITS) !== currency) continue;
      const amount = records.getFloat64(at + AMOUNT_AT, true);
      amountsSeen[amounts++] = amount;
      sum += amount;
      if (amount > largest) largest = amount;
    }
    siblingsOf[window] = end - index;
    amountsOf[window] = amounts;
    sumOf[window] = sum;
    largestOf[window] = largest;
  }
}
