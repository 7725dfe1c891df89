/**
 * From margins to probabilities that come true: of the transactions given 5 %, one in twenty is fraud.
 * Both ways keep the order of margins, and no two margins become one probability, for what ranks
 * transactions is the probability.
 */
import { logistic } from '../exponential.ts';
import { fitIsotonic, isotonicAt, type Steps } from './isotonic.ts';
import { logLoss } from './log-loss.ts';
import { fitPlatt, type Line } from './platt.ts';

/** JSON as it stands. */
export type Calibration =
  | ({ readonly kind: 'platt' } & Line)
  | ({ readonly kind: 'isotonic'; readonly line: Line } & Steps);

/**
 * Share of Platt's probability in an isotonic one: the steps alone would give many margins the same
 * probability, and coarse scores cost average precision.
 */
const LINE_SHARE = 0.01;

export type CalibrationChoice = {
  readonly calibration: Calibration;
  /** Of rows that each way had not seen (halves in turn), in nats. */
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
 * The way whose probabilities surprise less on rows that it was not fitted to, then fitted to all.
 * @param margins of rows that the model was not trained on, in time order
 * @param labels 1 for fraud; at least one of each kind among the even and among the odd rows
 */
export function chooseCalibration(margins: Float64Array, labels: Uint8Array): CalibrationChoice {
  const halves = [0, 1].map((parity) => ({
    margins: margins.filter((_, row) => row % 2 === parity),
    labels: labels.filter((_, row) => row % 2 === parity),
  }));
  const lossOf = (fitTo: (margins: Float64Array, labels: Uint8Array) => Calibration) => {
    const losses = halves.map((held, index) => {
      const other = halves[1 - index] ?? held;
      const calibration = fitTo(other.margins, other.labels);
      return logLoss(
        held.margins.map((margin) => calibrate(calibration, margin)),
        held.labels,
      );
    });
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  };
  const logLosses = { platt: lossOf(fitLine), isotonic: lossOf(fitSteps) };
  const fitTo = logLosses.isotonic < logLosses.platt ? fitSteps : fitLine;
  return { calibration: fitTo(margins, labels), logLosses };
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
