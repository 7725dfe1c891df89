/** The tallies of a merchant: count and sum of transactions by bucket (an hour or a UTC day) and currency. */

/** A bucket (an hour or a UTC day) and currency. */
export type Tally = {
  bucketMs: number;
  daily: boolean;
  readonly currency: number;
  count: number;
  sum: number;
};

/** In the order of their buckets; immutable. */
export type Tallies = {
  readonly list: readonly Tally[];
  readonly bucketsMs: Float64Array;
  /** Transactions tallied before each tally; the last number is the total. */
  readonly older: Float64Array;
  readonly total: number;
};

/** @param list in the order of their buckets */
export function createTallies(list: readonly Tally[]): Tallies {
  const bucketsMs = new Float64Array(list.length);
  const older = new Float64Array(list.length + 1);
  let total = 0;
  list.forEach((tally, index) => {
    total += tally.count;
    bucketsMs[index] = tally.bucketMs;
    older[index + 1] = total;
  });
  return { list, bucketsMs, older, total };
}

export const NO_TALLIES = createTallies([]);

/** Transactions tallied in buckets that begin before a time. */
export function countTallied(tallies: Tallies, ms: number): number {
  // Shared, as most merchants have no tallies.
  if (tallies.list.length === 0) return 0;
  return tallies.older[firstTally(tallies, ms)] ?? 0;
}

/** Sum of one currency, in the buckets that begin at a time or later. */
export function sumTallied(
  tallies: Tallies,
  fromMs: number,
  currency: number,
): { readonly sum: number; readonly count: number } {
  const { list } = tallies;
  let [sum, count] = [0, 0];
  for (let index = firstTally(tallies, fromMs); index < list.length; index++) {
    const tally = list[index];
    if (tally?.currency !== currency) continue;
    sum += tally.sum;
    count += tally.count;
  }
  return { sum, count };
}

/** Index of the first tally whose bucket does not begin before a time. */
function firstTally({ bucketsMs }: Tallies, ms: number): number {
  let start = 0;
  let end = bucketsMs.length;
  while (start < end) {
    const middle = (start + end) >> 1;
    if ((bucketsMs[middle] ?? 0) < ms) start = middle + 1;
    else end = middle;
  }
  return start;
}
