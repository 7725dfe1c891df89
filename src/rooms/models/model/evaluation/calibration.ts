/**
 * Calibrates margins to probabilities: of the transactions given 5 %, one in twenty is fraud. Both ways keep
 * the order of margins, and no two margins get one probability, as transactions are ranked by probability.
 */

import { logistic } from '../exponential.ts';
import type { Calibration, Line } from './calibration-json.ts';
import { fitIsotonic, isotonicAt } from './isotonic.ts';
import { logLoss } from './log-loss.ts';
import { fitPlatt } from './platt.ts';

/**
 * Share of Platt's probability in an isotonic one: the steps alone would give many margins the same
 * probability, and coarse scores cost average precision.
 */
const LINE_SHARE = 0.01;

type CalibrationChoice = {
  /** Fitted to all rows. */
  readonly calibration: Calibration;
  /** Probabilities of the chosen way, each row's from a fit to the other half: these may be judged. */
  readonly heldOut: Float64Array;
  /** Log loss of the held-out probabilities of both ways, in nats. */
  readonly logLosses: { readonly platt: number; readonly isotonic: number };
};

/** Probability of fraud at a margin; above 0 and below 1. */
export function calibrate(calibration: Calibration, margin: number): number {
  switch (calibration.kind) {
    case 'platt':
      return onLine(calibration, margin);
    case 'isotonic': {
      const steps = isotonicAt(calibration, margin);
      return (1 - LINE_SHARE) * steps + LINE_SHARE * onLine(calibration.line, margin);
    }
  }
}

/**
 * Chooses the way with the lower log loss on rows that it was not fitted to, then fits it to all.
 * @param margins of rows that the model was not trained on, in time order
 * @param labels 1 for fraud; at least one of each kind among the even and among the odd rows
 */
export function chooseCalibration(margins: Float64Array, labels: Uint8Array): CalibrationChoice {
  const line = holdOut(margins, labels, fitLine);
  const steps = holdOut(margins, labels, fitSteps);
  const logLosses = { platt: logLoss(line, labels), isotonic: logLoss(steps, labels) };
  return logLosses.isotonic < logLosses.platt
    ? { calibration: fitSteps(margins, labels), heldOut: steps, logLosses }
    : { calibration: fitLine(margins, labels), heldOut: line, logLosses };
}

type FitTo = (margins: Float64Array, labels: Uint8Array) => Calibration;

/** Predicts even rows by a fit to the odd ones, and the other way round. */
function holdOut(margins: Float64Array, labels: Uint8Array, fitTo: FitTo): Float64Array {
  const [even, odd] = [0, 1].map((parity) =>
    fitTo(
      margins.filter((_, row) => row % 2 === parity),
      labels.filter((_, row) => row % 2 === parity),
    ),
  );
  if (even === undefined || odd === undefined) throw new Error('two halves');
  return margins.map((margin, row) => calibrate(row % 2 === 0 ? odd : even, margin));
}

function fitLine(margins: Float64Array, labels: Uint8Array): Calibration {
  return { kind: 'platt', ...fitPlatt(margins, labels) };
}

function fitSteps(margins: Float64Array, labels: Uint8Array): Calibration {
  return { kind: 'isotonic', line: fitPlatt(margins, labels), ...fitIsotonic(margins, labels) };
}

function onLine({ slope, intercept }: Line, margin: number): number {
  return logistic(slope * margin + intercept);
}
