/**
 * The loss that a scorecard's weights minimise: log loss of the rows, a ridge, and squared differences of neighbouring buckets. The
 * loss is a sum, not a mean, so that the weights of a market with few rows stay small.
 */
import { exponential, naturalLog } from '../../../kit/elementary-functions.ts';
import { BUCKETS, ORDERED_BUCKETS } from './cuts.ts';
import type { LogOdds } from './measures.ts';

/** Rows of a night, side by side. */
export type SolveRows = Readonly<Record<keyof LogOdds, Float64Array>> & {
  readonly count: number;
  readonly measures: number;
  /** Buckets of all measures of the first row, then of the next one. */
  readonly buckets: Uint8Array;
  /** 1 for a fraud. */
  readonly isFraud: Uint8Array;
  /** Payments for which a row stands. */
  readonly counts: Float64Array;
};

/** A smooth convex function, with what a solver needs to begin. */
export type Loss = {
  readonly start: Float64Array;
  /** Second derivatives at the start, which scale the first step. */
  readonly curvature: Float64Array;
  /** Returns the value, and writes the gradient. */
  readonly at: (terms: Float64Array, gradient: Float64Array) => number;
};

/** Terms in front of the weights of buckets: the constant, and the slopes of the default's log-odds. */
export const CONSTANT = 0;
export const SLOPE = 1;
export const LABEL_SLOPE = 2;
export const WEIGHTS_FROM = 3;
/** Origin of log-odds in a solve: where few rules fire, slope and constant then hardly depend on each other. */
export const LOG_ODDS_SHIFT = 6;

const SMOOTHING = 60;
/** Ridge of the slope around 1: the default rules keep their weight until many frauds speak against it. */
const SLOPE_RIDGE = 300;
/** More: rules that read labels keep weight 1 against many rows. Less: the first few rows on which they fire decide; 1 to 30 are alike. */
const LABEL_SLOPE_RIDGE = 10;
const SLOPE_RIDGES = [
  [SLOPE, SLOPE_RIDGE],
  [LABEL_SLOPE, LABEL_SLOPE_RIDGE],
] as const;
/** Assumed rate of fraud where no rule fires, before anything is learnt. */
const START_RATE = 0.005;
const SPREAD_MIN = 1e-5;
const CURVATURE_MIN = 0.001;

export function createLoss(rows: SolveRows): Loss {
  const terms = WEIGHTS_FROM + rows.measures * BUCKETS;
  const start = new Float64Array(terms);
  start[CONSTANT] = naturalLog(START_RATE);
  start[SLOPE] = 1;
  start[LABEL_SLOPE] = 1;
  return {
    start,
    curvature: curvatureAt(rows, start),
    at(at, gradient) {
      gradient.fill(0);
      const loss = addRows(rows, at, gradient);
      return loss + addPenalties(at, gradient, rows.measures);
    },
  };
}

/** Adds the log loss of all rows, and its gradient. */
function addRows(
  { count, measures, buckets, logOdds, labelLogOdds, isFraud, counts }: SolveRows,
  terms: Float64Array,
  gradient: Float64Array,
): number {
  const slope = terms[SLOPE] as number;
  const labelSlope = terms[LABEL_SLOPE] as number;
  let loss = 0;
  let [whole, ofSlope, ofLabelSlope] = [0, 0, 0];
  for (let row = 0; row < count; row++) {
    const from = row * measures;
    const added = labelLogOdds[row] as number;
    const shifted = (logOdds[row] as number) - added + LOG_ODDS_SHIFT;
    let margin = (terms[CONSTANT] as number) + slope * shifted + labelSlope * added;
    for (let at = 0, weights = WEIGHTS_FROM; at < measures; at++, weights += BUCKETS) {
      margin += terms[weights + (buckets[from + at] as number)] as number;
    }
    const fraud = isFraud[row] as number;
    const stands = counts[row] as number;
    const small = exponential(-Math.abs(margin));
    const probability = margin >= 0 ? 1 / (1 + small) : small / (1 + small);
    loss += stands * (Math.max(fraud === 1 ? -margin : margin, 0) + naturalLog(1 + small));
    const residual = stands * (probability - fraud);
    whole += residual;
    ofSlope += residual * shifted;
    ofLabelSlope += residual * added;
    addAt(gradient, buckets, from, measures, residual);
  }
  gradient[CONSTANT] = whole;
  gradient[SLOPE] = ofSlope;
  gradient[LABEL_SLOPE] = ofLabelSlope;
  return loss;
}

/** Adds to the weight of each bucket of a row. */
function addAt(
  sums: Float64Array,
  buckets: Uint8Array,
  from: number,
  measures: number,
  value: number,
): void {
  for (let at = 0, weights = WEIGHTS_FROM; at < measures; at++, weights += BUCKETS) {
    const index = weights + (buckets[from + at] as number);
    sums[index] = (sums[index] as number) + value;
  }
}

function addPenalties(terms: Float64Array, gradient: Float64Array, measures: number): number {
  let [squares, steps] = [0, 0];
  for (const [term, ridge] of SLOPE_RIDGES) {
    const away = (terms[term] as number) - 1;
    squares += ridge * away * away;
    gradient[term] = (gradient[term] as number) + ridge * away;
  }
  for (let measure = 0; measure < measures; measure++) {
    const from = WEIGHTS_FROM + measure * BUCKETS;
    for (let index = from; index < from + BUCKETS; index++) {
      const weight = terms[index] as number;
      squares += weight * weight;
      gradient[index] = (gradient[index] as number) + weight;
    }
    for (let index = from; index < from + ORDERED_BUCKETS - 1; index++) {
      const step = (terms[index + 1] as number) - (terms[index] as number);
      steps += step * step;
      gradient[index] = (gradient[index] as number) - SMOOTHING * step;
      gradient[index + 1] = (gradient[index + 1] as number) + SMOOTHING * step;
    }
  }
  return 0.5 * (squares + SMOOTHING * steps);
}

function curvatureAt(rows: SolveRows, start: Float64Array): Float64Array {
  const { count, measures, buckets, logOdds, labelLogOdds, counts } = rows;
  const curvature = new Float64Array(start.length);
  let [whole, ofSlope, ofLabelSlope] = [0, 0, 0];
  for (let row = 0; row < count; row++) {
    const added = labelLogOdds[row] as number;
    const shifted = (logOdds[row] as number) - added + LOG_ODDS_SHIFT;
    const small = exponential(-Math.abs((start[CONSTANT] as number) + shifted + added));
    const spread = small / ((1 + small) * (1 + small));
    const here = (counts[row] as number) * Math.max(spread, SPREAD_MIN);
    whole += here;
    ofSlope += here * shifted * shifted;
    ofLabelSlope += here * added * added;
    addAt(curvature, buckets, row * measures, measures, here);
  }
  curvature[CONSTANT] = whole + CURVATURE_MIN;
  curvature[SLOPE] = ofSlope + SLOPE_RIDGE + CURVATURE_MIN;
  curvature[LABEL_SLOPE] = ofLabelSlope + LABEL_SLOPE_RIDGE + CURVATURE_MIN;
  for (let index = 0; index < measures * BUCKETS; index++) {
    const at = WEIGHTS_FROM + index;
    const smoothed = index % BUCKETS < ORDERED_BUCKETS ? 2 * SMOOTHING : 0;
    curvature[at] = (curvature[at] as number) + 1 + smoothed + CURVATURE_MIN;
  }
  return curvature;
}
