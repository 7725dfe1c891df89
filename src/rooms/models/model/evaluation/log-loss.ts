/** Mean log loss of probabilities: calibration lowers it, and early stopping may watch it. */
import { naturalLog } from '../../../../core/score/natural-log.ts';

/** Clamps to 1e-15, so that one wrong certainty cannot dominate the loss. */
const PROBABILITY_MIN = 1e-15;

/** Mean of -ln of the probability given to the outcome, in nats. `labels` is 1 for fraud. */
export function logLoss(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const probability = probabilities[row] ?? Number.NaN;
    const given = labels[row] === 1 ? probability : 1 - probability;
    sum -= naturalLog(Math.max(given, PROBABILITY_MIN));
  }
  return sum / labels.length;
}
