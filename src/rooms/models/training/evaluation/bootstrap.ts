/** Uncertainty of figures: percentiles over resampled units. */
import type { Random } from '../../../../kit/random.ts';
import { keysOf } from '../../../../kit/words/keys-of.ts';

/** A 95 % interval. */
export type Interval = { readonly low: number; readonly high: number };

/** Share of the resampled figures below a 95 % interval, and above it. */
const TAIL = 0.025;

/**
 * Percentile intervals of figures over units drawn with replacement (Efron, 1979). A figure that is not
 * defined for a draw, such as the AUC without frauds, is left out of that draw.
 * @param units what is independent of each other: accounts rather than their transactions
 * @param figures of the units with these indexes; the array is used again for the next draw
 * @param draws a few hundred; each costs what the figures cost
 * @returns one interval a figure; NaN where none was defined
 */
export function bootstrapIntervals<Name extends string>(
  units: number,
  figures: (drawn: Int32Array) => Readonly<Record<Name, number>>,
  draws: number,
  random: Random,
): Record<Name, Interval> {
  const drawn = new Int32Array(units);
  const samples = Array.from({ length: draws }, () => {
    for (let at = 0; at < units; at++) drawn[at] = Math.floor(random() * units);
    return figures(drawn);
  });
  const names = keysOf<Name>(Object(samples[0]));
  const intervals = names.map((name) => [name, intervalOf(samples.map((sample) => sample[name]))]);
  return Object.fromEntries(intervals) as Record<Name, Interval>; // `fromEntries` types names as texts.
}

function intervalOf(values: readonly number[]): Interval {
  const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  const last = sorted.length - 1;
  return {
    low: sorted[Math.round(TAIL * last)] ?? Number.NaN,
    high: sorted[Math.round((1 - TAIL) * last)] ?? Number.NaN,
  };
}
