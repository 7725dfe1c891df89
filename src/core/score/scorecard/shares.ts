/** Bands by share: thresholds that at most a share of the payments of some days reach. */
import { CUT_PAYMENTS } from './kept-rows.ts';

/**
 * Fewer: the rhythm of a week moves the bands. More: a market's first payments, whose features had no past, raise the bands (with 28 days a
 * policy of 1 % stopped 0.46 % in a week of cardsim, with 7 days 0.72 %).
 */
const NEWEST_DAYS = 7;

/**
 * The days whose payments give bands to the table of a day: the newest, and older days while these have few.
 * @param payments by day
 */
export function daysOfTops(payments: ReadonlyMap<number, number>, day: number): Set<number> {
  const days = new Set<number>();
  let found = 0;
  for (const [of, count] of [...payments].sort(([left], [right]) => right - left)) {
    if (of < day - NEWEST_DAYS && found >= CUT_PAYMENTS) break;
    days.add(of);
    found += count;
  }
  return days;
}

/** Shares that tops are made of: 0.001, 0.002 and so on. */
const SHARES = 100;
const SHARES_OF_ALL = 1000;
/** Fewer: the least share is less than one payment. */
export const TOPS_MIN = 1000;
/** Above every probability and all points. */
export const NEVER = 1001;

/** Empty for fewer than TOPS_MIN values. */
export function topsOf(values: ArrayLike<number>): Float64Array {
  if (values.length < TOPS_MIN) return new Float64Array();
  const falling = Float64Array.from(values).sort().reverse();
  return Float64Array.from({ length: SHARES }, (_, nth) =>
    leastOf(falling, Math.floor(((nth + 1) * values.length) / SHARES_OF_ALL)),
  );
}

/** @param share a multiple of 0.001 */
export const bandAt = (tops: Float64Array, share: number): number =>
  tops[Math.round(share * SHARES_OF_ALL) - 1] ?? NEVER;

/** The least threshold that at most so many values reach; values that are equal to the next value stay below. */
export function leastOf(falling: Float64Array, count: number): number {
  let at = count - 1;
  while (at >= 0 && falling[at] === falling[count]) at--;
  return falling[at] ?? NEVER;
}
