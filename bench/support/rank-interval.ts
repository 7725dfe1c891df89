/**
 * Tells by how much one sample of ratios lies below another, with a 95 % interval that assumes nothing about
 * their distribution: all pairs are compared, and the interval ends with the last pairs that the rank sum test
 * would leave out at that level (Hodges and Lehmann). It is exact for small samples, and seven rounds are one.
 */
import { spreadOf } from './spread.ts';

export type Loss = {
  /** 1 − median (now) / median (before); below 0 is a gain. */
  readonly loss: number;
  readonly low: number;
  readonly high: number;
};

/** The ratio of now to before, with its interval. */
export type Ratio = { readonly ratio: number; readonly low: number; readonly high: number };

const TAIL = 0.025;

export function ratioOf(before: readonly number[], now: readonly number[]): Ratio {
  const { loss, low, high } = lossOf(before, now);
  return { ratio: 1 - loss, low: 1 - high, high: 1 - low };
}

export function lossOf(before: readonly number[], now: readonly number[]): Loss {
  const losses = before
    .flatMap((earlier) => now.map((later) => 1 - later / earlier))
    .sort((a, b) => a - b);
  const left = leftOut(before.length, now.length);
  return {
    loss: 1 - spreadOf(now).median / spreadOf(before).median,
    // Where no pair is left out, samples are too small for an interval.
    low: losses[left - 1] ?? Number.NEGATIVE_INFINITY,
    high: losses[losses.length - left] ?? Number.POSITIVE_INFINITY,
  };
}

/**
 * Pairs to leave out at each end: the largest count c with P(U < c) within the tail, U being the rank sum
 * statistic of two samples of these sizes.
 */
export function leftOut(size: number, otherSize: number): number {
  const ways = rankSumWays(size, otherSize);
  const all = ways.reduce((sum, count) => sum + count, 0);
  let below = 0;
  let count = 0;
  for (const way of ways) {
    below += way;
    if (below > TAIL * all) break;
    count++;
  }
  return count;
}

/** In how many orders of the two samples U takes each value from 0 up: the coefficients of a Gaussian binomial. */
function rankSumWays(size: number, otherSize: number): number[] {
  let ways = [1];
  for (let n = 1; n <= size; n++) {
    // Times (1 − q^(otherSize + n)), then by (1 − q^n).
    const longer = Array.from({ length: n * otherSize + 1 }, (_, u) => ways[u] ?? 0);
    for (let u = longer.length - 1; u >= otherSize + n; u--) {
      longer[u] = (longer[u] ?? 0) - (longer[u - otherSize - n] ?? 0);
    }
    for (let u = n; u < longer.length; u++) longer[u] = (longer[u] ?? 0) + (longer[u - n] ?? 0);
    ways = longer;
  }
  return ways;
}
