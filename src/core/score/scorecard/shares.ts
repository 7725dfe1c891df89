/** Bands by share: thresholds that at most a share of the payments of some days reach. */
import type { OpinionBands } from '../opinion.ts';

/**
 * Fewer: one day's noise moves the bands. More: bands lag behind waves of fraud (in 54 spans of seven days of a simulated process, 25 were
 * off by more than a third with 7 days, and 2 with 2 days), and a market's first payments, whose features had no past, raise the bands.
 */
const NEWEST_DAYS = 2;
/** Fewer: a share of 1 % is less than 40 payments, and chance moves the bands. More: small markets have bands of older days. */
const NEWEST_PAYMENTS = 4000;

/**
 * The days whose payments give bands to the table of a day: the newest, and older days while these have few.
 * @param payments by day
 */
export function daysOfTops(payments: ReadonlyMap<number, number>, day: number): Set<number> {
  const days = new Set<number>();
  let found = 0;
  for (const [of, count] of [...payments].sort(([left], [right]) => right - left)) {
    if (of < day - NEWEST_DAYS && found >= NEWEST_PAYMENTS) break;
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

/** Earlier days whose excess or shortfall of a share a table makes up for; the table's own day is the seventh. */
export const BUDGET_DAYS = 6;
/** More: a wave of frauds ends reviews for days. Less: an excess or a shortfall moves the next bands too little. */
const FACTOR_MAX = 2;

/** Counts for each share how many of the payments that earlier tables judged reached the threshold of the share. */
export function countTaken() {
  const taken = new Float64Array(SHARES);
  let payments = 0;
  return {
    add(tops: Float64Array, probability: number): void {
      if (tops.length === 0) return;
      payments++;
      for (let nth = SHARES - 1; probability >= (tops[nth] as number); nth--)
        taken[nth] = (taken[nth] as number) + 1;
    },
    /** Payments taken for each share, divided by the payments asked for; 1 if few payments were judged. */
    end: (): Float64Array =>
      taken.map((count, nth) => {
        const asked = ((nth + 1) * payments) / SHARES_OF_ALL;
        const times = payments < TOPS_MIN ? 1 : count / asked;
        return Math.min(FACTOR_MAX, Math.max(1 / FACTOR_MAX, times));
      }),
  };
}

/** Empty for fewer than TOPS_MIN values. @param taken ratios of `countTaken`: a share that was taken twice as often is halved */
export function topsOf(values: ArrayLike<number>, taken?: Float64Array): Float64Array {
  if (values.length < TOPS_MIN) return new Float64Array();
  const falling = Float64Array.from(values).sort().reverse();
  let least = NEVER;
  return Float64Array.from({ length: SHARES }, (_, nth) => {
    const count = ((nth + 1) * values.length) / SHARES_OF_ALL / (taken?.[nth] ?? 1);
    // A greater share never has a greater threshold.
    least = Math.min(least, leastOf(falling, Math.floor(count)));
    return least;
  });
}

/** @param share a multiple of 0.001 */
export const bandAt = (tops: Float64Array, share: number): number =>
  tops[Math.round(share * SHARES_OF_ALL) - 1] ?? NEVER;

/** Bands of a probability. */
export const bandsAt = (tops: Float64Array, review: number, decline: number): OpinionBands => ({
  reviewFrom: bandAt(tops, review),
  declineFrom: bandAt(tops, decline),
  isOfProbability: true,
});

/** The least threshold that at most so many values reach; values that are equal to the next value stay below. */
export function leastOf(falling: Float64Array, count: number): number {
  let at = count - 1;
  while (at >= 0 && falling[at] === falling[count]) at--;
  return falling[at] ?? NEVER;
}
