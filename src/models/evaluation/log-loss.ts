/** Mean surprise of probabilities: what calibration lowers and early stopping may watch. */
import { naturalLog } from '../../scoring/natural-log.ts';

/** Farthest from 0 and 1 that a probability counts, or one wrong certainty would be all of the mean. */
const PROBABILITY_MIN = 1e-15;

/** Mean of -ln of the probability given to what happened, in nats. `labels` is 1 for fraud. */
export function logLoss(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const probability = probabilities[row] ?? Number.NaN;
    const given = labels[row] === 1 ? probability : 1 - probability;
    sum -= naturalLog(Math.max(given, PROBABILITY_MIN));
  }
  return sum / labels.length;
}
