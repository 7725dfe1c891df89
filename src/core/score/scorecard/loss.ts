/**
 * The loss that a scorecard's weights minimise: log loss of the rows, a ridge, and squared differences of neighbouring buckets. The
 * loss is a sum, not a mean, so that the weights of a market with few rows stay small.
 */
import { exponential, naturalLog } from '../../../kit/elementary-functions.ts';
import { BUCKETS, ORDERED_BUCKETS } from './cuts.ts';

/** Rows of a night, side by side. */
export type SolveRows = {
  readonly count: number;
  readonly measures: number;
  /** Buckets of all measures of the first row, then of the next one. */
  readonly buckets: Uint8Array;
  /** Log-odds by the default rules. */
  readonly logOdds: Float64Array;
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

/** Terms in front of the weights of buckets: the constant, and the slope of the default's log-odds. */
export const CONSTANT = 0;
export const SLOPE = 1;
export const WEIGHTS_FROM = 2;
/** Log-odds count from here in a solve: where few rules fire, slope and constant then hardly depend on each other. */
export const LOG_ODDS_SHIFT = 6;

const SMOOTHING = 60;
/** Ridge of the slope around 1: the default rules keep their word until many frauds speak against it. */
const SLOPE_RIDGE = 300;
/** Rate of fraud before anything is learnt, where no rule fires. */
const START_RATE = 0.005;
const SPREAD_MIN = 1e-5;
const CURVATURE_MIN = 0.001;

/** Rows with the buckets alone that are not their measure's commonest: a solve takes as long as there are such buckets. */
type SparseRows = SolveRows & {
  /** Index of each measure's commonest bucket among all weights. */
  readonly commonest: Uint32Array;
  /** Where the entries of a row begin; behind the last row, where they end. */
  readonly starts: Uint32Array;
  /** Indexes of buckets among all weights. */
  readonly entries: Uint16Array;
};

export function createLoss(rows: SolveRows): Loss {
  const sparse = toSparse(rows);
  const terms = WEIGHTS_FROM + rows.measures * BUCKETS;
  const start = new Float64Array(terms);
  start[CONSTANT] = naturalLog(START_RATE);
  start[SLOPE] = 1;
  const differences = new Float64Array(rows.measures * BUCKETS);
  return {
    start,
    curvature: curvatureAt(sparse, start),
    at(at, gradient) {
      gradient.fill(0);
      const loss = addRows(sparse, at, differences, gradient);
      return loss + addPenalties(at, gradient, rows.measures);
    },
  };
}

function toSparse(rows: SolveRows): SparseRows {
  const { count, measures, buckets } = rows;
  const met = new Uint32Array(measures * BUCKETS);
  for (let row = 0, at = 0; row < count; row++) {
    for (let measure = 0; measure < measures; measure++, at++) {
      const index = measure * BUCKETS + (buckets[at] as number);
      met[index] = (met[index] as number) + 1;
    }
  }
  const commonest = new Uint32Array(measures);
  let length = count * measures;
  for (let measure = 0; measure < measures; measure++) {
    const from = measure * BUCKETS;
    let most = from;
    for (let index = from; index < from + BUCKETS; index++) {
      if ((met[index] as number) > (met[most] as number)) most = index;
    }
    commonest[measure] = most;
    length -= met[most] as number;
  }
  const starts = new Uint32Array(count + 1);
  const entries = new Uint16Array(length);
  let end = 0;
  for (let row = 0, at = 0; row < count; row++) {
    for (let measure = 0; measure < measures; measure++, at++) {
      const index = measure * BUCKETS + (buckets[at] as number);
      if (index !== commonest[measure]) entries[end++] = index;
    }
    starts[row + 1] = end;
  }
  return { ...rows, commonest, starts, entries };
}

/** Adds the log loss of all rows, and its gradient. */
function addRows(
  { count, commonest, starts, entries, logOdds, isFraud, counts }: SparseRows,
  terms: Float64Array,
  differences: Float64Array,
  gradient: Float64Array,
): number {
  const slope = terms[SLOPE] as number;
  const base = (terms[CONSTANT] as number) + writeDifferences(terms, commonest, differences);
  let loss = 0;
  let whole = 0;
  let ofSlope = 0;
  for (let row = 0; row < count; row++) {
    const from = starts[row] as number;
    const to = starts[row + 1] as number;
    const shifted = (logOdds[row] as number) + LOG_ODDS_SHIFT;
    let margin = base + slope * shifted;
    for (let at = from; at < to; at++) margin += differences[entries[at] as number] as number;
    const fraud = isFraud[row] as number;
    const stands = counts[row] as number;
    const small = exponential(-Math.abs(margin));
    const probability = margin >= 0 ? 1 / (1 + small) : small / (1 + small);
    loss += stands * (Math.max(fraud === 1 ? -margin : margin, 0) + naturalLog(1 + small));
    const residual = stands * (probability - fraud);
    whole += residual;
    ofSlope += residual * shifted;
    for (let at = from; at < to; at++) {
      const index = WEIGHTS_FROM + (entries[at] as number);
      gradient[index] = (gradient[index] as number) + residual;
    }
  }
  gradient[CONSTANT] = whole;
  gradient[SLOPE] = ofSlope;
  addCommonest(commonest, whole, gradient);
  return loss;
}

/** Writes what each bucket adds to the commonest bucket of its measure; returns the sum of the commonest weights. */
function writeDifferences(
  terms: Float64Array,
  commonest: Uint32Array,
  differences: Float64Array,
): number {
  let sum = 0;
  for (let measure = 0; measure < commonest.length; measure++) {
    const usual = terms[WEIGHTS_FROM + (commonest[measure] as number)] as number;
    sum += usual;
    const to = (measure + 1) * BUCKETS;
    for (let index = measure * BUCKETS; index < to; index++) {
      differences[index] = (terms[WEIGHTS_FROM + index] as number) - usual;
    }
  }
  return sum;
}

/** Every row has a bucket of each measure, so the commonest bucket has what the other buckets leave. */
function addCommonest(commonest: Uint32Array, whole: number, of: Float64Array): void {
  for (let measure = 0; measure < commonest.length; measure++) {
    const usual = WEIGHTS_FROM + (commonest[measure] as number);
    let left = whole;
    const to = WEIGHTS_FROM + (measure + 1) * BUCKETS;
    for (let index = WEIGHTS_FROM + measure * BUCKETS; index < to; index++) {
      if (index !== usual) left -= of[index] as number;
    }
    of[usual] = left;
  }
}

function addPenalties(terms: Float64Array, gradient: Float64Array, measures: number): number {
  const away = (terms[SLOPE] as number) - 1;
  gradient[SLOPE] = (gradient[SLOPE] as number) + SLOPE_RIDGE * away;
  let squares = 0;
  let steps = 0;
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
  return 0.5 * (squares + SMOOTHING * steps + SLOPE_RIDGE * away * away);
}

function curvatureAt(rows: SparseRows, start: Float64Array): Float64Array {
  const { count, measures, commonest, starts, entries, logOdds, counts } = rows;
  const curvature = new Float64Array(start.length);
  let whole = 0;
  let ofSlope = 0;
  for (let row = 0; row < count; row++) {
    const shifted = (logOdds[row] as number) + LOG_ODDS_SHIFT;
    const small = exponential(-Math.abs((start[CONSTANT] as number) + shifted));
    const spread = small / ((1 + small) * (1 + small));
    const here = (counts[row] as number) * Math.max(spread, SPREAD_MIN);
    whole += here;
    ofSlope += here * shifted * shifted;
    for (let at = starts[row] as number; at < (starts[row + 1] as number); at++) {
      const index = WEIGHTS_FROM + (entries[at] as number);
      curvature[index] = (curvature[index] as number) + here;
    }
  }
  curvature[CONSTANT] = whole + CURVATURE_MIN;
  curvature[SLOPE] = ofSlope + SLOPE_RIDGE + CURVATURE_MIN;
  addCommonest(commonest, whole, curvature);
  for (let index = 0; index < measures * BUCKETS; index++) {
    const at = WEIGHTS_FROM + index;
    const smoothed = index % BUCKETS < ORDERED_BUCKETS ? 2 * SMOOTHING : 0;
    curvature[at] = (curvature[at] as number) + 1 + smoothed + CURVATURE_MIN;
  }
  return curvature;
}
