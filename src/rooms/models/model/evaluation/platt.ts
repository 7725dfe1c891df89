/** Platt's calibration: a line from margins to log-odds, fitted by Newton's method. */

import { logistic, softPlus } from '../exponential.ts';
import type { Line } from './calibration-json.ts';

/** Least slope: at zero or below, the order of margins would be lost. */
const SLOPE_MIN = 1e-3;
const STEPS_MAX = 100;
const STEP_MIN = 1e-10;
const HALVINGS_MAX = 40;

/**
 * Targets are (frauds + 1) / (frauds + 2) and 1 / (legitimates + 2) instead of 1 and 0, so that margins
 * which separate the labels do not give a line without end (Platt, "Probabilistic outputs for support
 * vector machines", 1999).
 */
export function fitPlatt(margins: Float64Array, labels: Uint8Array): Line {
  const frauds = labels.reduce((sum, label) => sum + label, 0);
  const target = {
    fraud: (frauds + 1) / (frauds + 2),
    legitimate: 1 / (labels.length - frauds + 2),
  };
  const targets = Float64Array.from(labels, (label) =>
    label === 1 ? target.fraud : target.legitimate,
  );
  let line: Line = { slope: 1, intercept: 0 };
  let loss = lossOf(line, margins, targets);
  for (let step = 0; step < STEPS_MAX; step++) {
    const direction = newtonStep(line, margins, targets);
    let share = 1;
    let next = line;
    let nextLoss = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < HALVINGS_MAX && !(nextLoss <= loss); halving++) {
      next = {
        slope: line.slope - share * direction.slope,
        intercept: line.intercept - share * direction.intercept,
      };
      nextLoss = lossOf(next, margins, targets);
      share /= 2;
    }
    if (!(nextLoss <= loss)) break;
    const moved = Math.abs(next.slope - line.slope) + Math.abs(next.intercept - line.intercept);
    line = next;
    loss = nextLoss;
    if (moved < STEP_MIN) break;
  }
  return line.slope >= SLOPE_MIN ? line : { slope: SLOPE_MIN, intercept: line.intercept };
}

function lossOf({ slope, intercept }: Line, margins: Float64Array, targets: Float64Array): number {
  let loss = 0;
  for (let row = 0; row < margins.length; row++) {
    const logOdds = slope * (margins[row] as number) + intercept;
    loss += softPlus(logOdds) - (targets[row] as number) * logOdds;
  }
  return loss;
}

function newtonStep(
  { slope, intercept }: Line,
  margins: Float64Array,
  targets: Float64Array,
): Line {
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
    return { slope: 0, intercept: interceptTwice > 0 ? ofIntercept / interceptTwice : 0 };
  }
  return {
    slope: (interceptTwice * ofSlope - both * ofIntercept) / determinant,
    intercept: (slopeTwice * ofIntercept - both * ofSlope) / determinant,
  };
}
