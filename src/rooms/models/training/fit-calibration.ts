/**
 * Fits a calibration to margins of rows that the model was not trained on: a line from margins to log-odds, or steps where
 * these predict labels better.
 */

import { logistic, softPlus } from '../../../kit/elementary-functions.ts';
import {
  CALIBRATION_KNOTS_MAX,
  type Calibration,
  calibrate,
  type Line,
  type Steps,
} from '../model/calibration.ts';
import { logLoss } from './evaluation/ranking.ts';
import { minimise } from './newton.ts';

/**
 * Chooses the way with the lower log loss on rows that it was not fitted to, then fits it to all. The held-out probabilities
 * are each row's from a fit to the other half, so these may be judged.
 * @param margins in time order
 * @param labels 1 for fraud; at least one of each kind among the even and among the odd rows
 */
export function chooseCalibration(margins: Float64Array, labels: Uint8Array) {
  const line = holdOut(margins, labels, fitLine);
  const steps = holdOut(margins, labels, fitSteps);
  const logLosses = { platt: logLoss(line, labels), isotonic: logLoss(steps, labels) };
  return logLosses.isotonic < logLosses.platt
    ? { calibration: fitSteps(margins, labels), holdout: steps, logLosses }
    : { calibration: fitLine(margins, labels), holdout: line, logLosses };
}

type FitTo = (margins: Float64Array, labels: Uint8Array) => Calibration;

/** Predicts even rows by a fit to the odd ones, and the other way round. */
function holdOut(margins: Float64Array, labels: Uint8Array, fitTo: FitTo): Float64Array {
  const fitToHalf = (parity: number) =>
    fitTo(
      margins.filter((_, row) => row % 2 === parity),
      labels.filter((_, row) => row % 2 === parity),
    );
  const [even, odd] = [fitToHalf(0), fitToHalf(1)];
  return margins.map((margin, row) => calibrate(row % 2 === 0 ? odd : even, margin));
}

const fitLine: FitTo = (margins, labels) => ({ kind: 'platt', ...fitPlatt(margins, labels) });
const fitSteps: FitTo = (margins, labels) => ({
  kind: 'isotonic',
  line: fitPlatt(margins, labels),
  ...fitIsotonic(margins, labels),
});

/** Least slope: at zero or below, the order of margins would be lost. */
const SLOPE_MIN = 1e-3;

/**
 * Targets are (frauds + 1) / (frauds + 2) and 1 / (legitimates + 2) instead of 1 and 0, so that margins which separate the
 * labels do not give a line without end (Platt, "Probabilistic outputs for support vector machines", 1999).
 */
export function fitPlatt(margins: Float64Array, labels: Uint8Array): Line {
  const frauds = labels.reduce((sum, label) => sum + label, 0);
  const ofFraud = (frauds + 1) / (frauds + 2);
  const ofLegitimate = 1 / (labels.length - frauds + 2);
  const targets = Float64Array.from(labels, (label) => (label === 1 ? ofFraud : ofLegitimate));
  const steps = minimise(
    {
      at: (line) => lineLoss(line, margins, targets),
      stepAt: (line) => lineStep(line, margins, targets),
    },
    Float64Array.of(1, 0),
  );
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  const [slope = 0, intercept = 0] = step.value;
  return { slope: Math.max(slope, SLOPE_MIN), intercept };
}

/** @param line slope and intercept */
function lineLoss(
  [slope = 0, intercept = 0]: Float64Array,
  margins: Float64Array,
  targets: Float64Array,
) {
  let loss = 0;
  for (let row = 0; row < margins.length; row++) {
    const logOdds = slope * (margins[row] as number) + intercept;
    loss += softPlus(logOdds) - (targets[row] as number) * logOdds;
  }
  return loss;
}

function lineStep(
  [slope = 0, intercept = 0]: Float64Array,
  margins: Float64Array,
  targets: Float64Array,
) {
  let ofSlope = 0;
  let ofIntercept = 0;
  let slopeTwice = 0;
  let both = 0;
  let interceptTwice = 0;
  for (let row = 0; row < margins.length; row++) {
    const margin = margins[row] as number;
    const probability = logistic(slope * margin + intercept);
    const error = probability - (targets[row] as number);
    const curvature = probability * (1 - probability);
    ofSlope += error * margin;
    ofIntercept += error;
    slopeTwice += curvature * margin * margin;
    both += curvature * margin;
    interceptTwice += curvature;
  }
  // Equal margins leave the slope undetermined: it stays, and the intercept moves alone.
  const determinant = slopeTwice * interceptTwice - both * both;
  if (!(determinant > Number.EPSILON * slopeTwice * interceptTwice)) {
    return Float64Array.of(0, interceptTwice > 0 ? ofIntercept / interceptTwice : 0);
  }
  return Float64Array.of(
    (interceptTwice * ofSlope - both * ofIntercept) / determinant,
    (slopeTwice * ofIntercept - both * ofSlope) / determinant,
  );
}

/** Rows with the same margin, or pooled with their neighbours. */
type Pool = { margins: number; frauds: number; rows: number };

/**
 * The non-decreasing probabilities that fit the labels best, found by pooling adjacent violators (Ayer et al., 1955), with
 * straight lines between the pools' centres.
 */
export function fitIsotonic(margins: Float64Array, labels: Uint8Array): Steps {
  const order = Array.from(margins.keys()).sort((a, b) => (margins[a] ?? 0) - (margins[b] ?? 0));
  const pools: Pool[] = [];
  for (const rows of groupEqual(order, margins)) {
    const frauds = rows.reduce((sum, row) => sum + (labels[row] ?? 0), 0);
    const sum = rows.reduce((total, row) => total + (margins[row] ?? 0), 0);
    pools.push({ margins: sum, frauds, rows: rows.length });
    while (falls(pools)) merge(pools, pools.length - 1);
  }
  // Neighbours are merged until a file may hold them.
  while (pools.length > CALIBRATION_KNOTS_MAX) merge(pools, smallest(pools));
  let most = 0;
  return {
    margins: pools.map(({ margins: sum, rows }) => sum / rows),
    probabilities: pools.map(({ frauds, rows }) => {
      // An imagined row of each label keeps certainty out of small pools (Laplace), but may put a pool below the pool before.
      most = Math.max(most, (frauds + 1 / 2) / (rows + 1));
      return most;
    }),
  };
}

/** Runs of rows with one margin. */
function groupEqual(order: readonly number[], margins: Float64Array): number[][] {
  const groups: number[][] = [];
  for (const row of order) {
    const last = groups.at(-1);
    if (last !== undefined && margins[last[0] ?? -1] === margins[row]) last.push(row);
    else groups.push([row]);
  }
  return groups;
}

/** Whether the last pool's share of frauds is at most that of the one before. */
function falls(pools: readonly Pool[]): boolean {
  const last = pools.at(-1);
  const before = pools.at(-2);
  if (last === undefined || before === undefined) return false;
  return last.frauds * before.rows <= before.frauds * last.rows;
}

/** Index of the pool that makes the smallest pair with the one before. */
function smallest(pools: readonly Pool[]): number {
  const rowsWithBefore = (at: number) => (pools[at]?.rows ?? 0) + (pools[at - 1]?.rows ?? 0);
  let found = 1;
  for (let at = 2; at < pools.length; at++) {
    if (rowsWithBefore(at) < rowsWithBefore(found)) found = at;
  }
  return found;
}

/** Merges a pool into the one before. */
function merge(pools: Pool[], at: number): void {
  const [pool] = pools.splice(at, 1);
  const before = pools[at - 1];
  if (pool === undefined || before === undefined) return;
  before.margins += pool.margins;
  before.frauds += pool.frauds;
  before.rows += pool.rows;
}
