/** How far a figure could have come out otherwise: percentiles over resampled rows. */
import type { Random } from '../random.ts';
import type { Scored } from './ranking.ts';

/** 95 %: below it and above it lie 2.5 % of the resampled figures each. */
export type Interval = { readonly low: number; readonly high: number };

const TAIL = 0.025;

/**
 * Percentile interval of figures over rows drawn with replacement (Efron, 1979). Figures that are not
 * defined for a draw, such as the AUC without frauds, are left out.
 * @param draws a few hundred; each costs what the figures cost
 * @returns one interval a figure; NaN where none was defined
 */
export function bootstrapIntervals<Name extends string>(
  { scores, labels }: Scored,
  figures: (resampled: Scored) => Readonly<Record<Name, number>>,
  draws: number,
  random: Random,
): Record<Name, Interval> {
  const rows = scores.length;
  const drawnScores = new Float64Array(rows);
  const drawnLabels = new Uint8Array(rows);
  const samples = Array.from({ length: draws }, () => {
    for (let at = 0; at < rows; at++) {
      const row = Math.floor(random() * rows);
      drawnScores[at] = scores[row] ?? Number.NaN;
      drawnLabels[at] = labels[row] ?? 0;
    }
    return figures({ scores: drawnScores, labels: drawnLabels });
  });
  const names = Object.keys(figures({ scores, labels })) as Name[];
  const intervals = names.map((name) => [name, intervalOf(samples.map((sample) => sample[name]))]);
  return Object.fromEntries(intervals) as Record<Name, Interval>;
}

function intervalOf(values: readonly number[]): Interval {
  const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  const last = sorted.length - 1;
  return {
    low: sorted[Math.round(TAIL * last)] ?? Number.NaN,
    high: sorted[Math.round((1 - TAIL) * last)] ?? Number.NaN,
  };
}
