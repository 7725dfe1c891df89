/** Fits a calibration to margins of rows that the model was not trained on: a line from margins to log-odds. */

import { logistic, softPlus } from '../../../kit/elementary-functions.ts';
import { lastOf } from '../../../kit/process/steps.ts';
import { type Calibration, calibrate } from '../model/calibration.ts';
import { minimise } from './newton.ts';

/**
 * Predicts even rows by a fit to the odd ones, and the other way round, so that the probabilities may be judged.
 * @param margins in time order
 * @param labels 1 for fraud; at least one of each kind among the even and among the odd rows
 */
export function holdOut(margins: Float64Array, labels: Uint8Array): Float64Array {
  const fitToHalf = (parity: number) =>
    fitPlatt(
      margins.filter((_, row) => row % 2 === parity),
      labels.filter((_, row) => row % 2 === parity),
    );
  const [even, odd] = [fitToHalf(0), fitToHalf(1)];
  return margins.map((margin, row) => calibrate(row % 2 === 0 ? odd : even, margin));
}

/** Least slope: at zero or below, the order of margins would be lost. */
const SLOPE_MIN = 1e-3;

/**
 * Targets are (frauds + 1) / (frauds + 2) and 1 / (legitimates + 2) instead of 1 and 0, so that margins which separate the
 * labels do not give a line without end (Platt, "Probabilistic outputs for support vector machines", 1999).
 */
export function fitPlatt(margins: Float64Array, labels: Uint8Array): Calibration {
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
  const [slope = 0, intercept = 0] = lastOf(steps);
  return { kind: 'platt', slope: Math.max(slope, SLOPE_MIN), intercept };
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
