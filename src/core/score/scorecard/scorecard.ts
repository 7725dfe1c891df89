/**
 * A scorecard: the cuts and points of a night, and what they give a vector. The margin is a function of the vector and the
 * scorecard alone, and the points of its measures add up to it to the bit.
 */
import { BUCKETS, bucketOf, type Cuts } from './cuts.ts';
import {
  CONSTANT,
  createLoss,
  LABEL_SLOPE,
  LOG_ODDS_SHIFT,
  SLOPE,
  type SolveRows,
  WEIGHTS_FROM,
} from './loss.ts';
import type { LogOdds } from './measures.ts';
import { minimise } from './minimise.ts';

/** The weights of a night. */
export type Weights = {
  readonly constant: number;
  /** Weight of the default's log-odds by rules that read no labels. */
  readonly slope: number;
  /** Weight of the log-odds that rules which read labels add. */
  readonly labelSlope: number;
  /** BUCKETS weights a measure. */
  readonly points: Float64Array;
};

export type Scorecard = Weights & { readonly cuts: Cuts };

/** Known frauds below which nothing is learnt. Fewer: a table follows the chance of a week. */
export const KNOWN_FRAUDS_MIN = 50;

/** The default rules alone. */
export function unlearnt(measures: number): Weights {
  return { constant: 0, slope: 1, labelSlope: 1, points: new Float64Array(measures * BUCKETS) };
}

/** @param knownFrauds matured, of the 180 days before the night, whether or not they are among the rows */
export function* solve(rows: SolveRows, knownFrauds: number): Generator<undefined, Weights> {
  if (knownFrauds < KNOWN_FRAUDS_MIN) return unlearnt(rows.measures);
  const terms = yield* minimise(createLoss(rows));
  const slope = terms[SLOPE] as number;
  return {
    constant: (terms[CONSTANT] as number) + LOG_ODDS_SHIFT * slope,
    slope,
    labelSlope: terms[LABEL_SLOPE] as number,
    points: terms.slice(WEIGHTS_FROM),
  };
}

/**
 * Moves the mean points of each measure into the constant, so that a point above 0 raises the margin of a usual payment.
 * @param met how many of the night's sample are in each bucket of each measure
 */
export function centre(weights: Weights, met: Float64Array): Weights {
  const { constant, points } = weights;
  const centred = points.slice();
  let moved = 0;
  for (let from = 0; from < points.length; from += BUCKETS) {
    let [sum, count] = [0, 0];
    for (let index = from; index < from + BUCKETS; index++) {
      sum += (met[index] as number) * (points[index] as number);
      count += met[index] as number;
    }
    if (count === 0) continue;
    const mean = sum / count;
    moved += mean;
    for (let index = from; index < from + BUCKETS; index++) {
      centred[index] = (points[index] as number) - mean;
    }
  }
  return { ...weights, constant: constant + moved, points: centred };
}

/** @param values of all measures, in their order */
export function writeBuckets(cuts: Cuts, values: Float64Array, into: Uint8Array): void {
  for (let measure = 0; measure < values.length; measure++) {
    into[measure] = bucketOf(cuts, measure, values[measure] as number);
  }
}

/** The constant, and what the default's log-odds add. Equal slopes weigh them to the bit as if no rule read labels. */
export const baseOf = (
  { constant, slope, labelSlope }: Weights,
  { logOdds, labelLogOdds }: LogOdds,
): number => constant + slope * logOdds + (labelSlope - slope) * labelLogOdds;

/** Log-odds of fraud. */
export function marginOf(weights: Weights, buckets: Uint8Array, logOdds: LogOdds): number {
  const { points } = weights;
  let margin = baseOf(weights, logOdds);
  for (let measure = 0; measure < buckets.length; measure++) {
    margin += points[measure * BUCKETS + (buckets[measure] as number)] as number;
  }
  return margin;
}
