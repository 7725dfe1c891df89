/** Trainings without a stop between their steps. */

import { lastOf } from '../../../../../src/kit/process/steps.ts';
import { fitLogistic } from '../../../../../src/rooms/models/training/fit-artefact.ts';
import { growTrees } from '../../../../../src/rooms/models/training/train-trees.ts';

/** The ensemble, and the validation metric of every round; the higher, the better. */
export function trainTrees(...input: Parameters<typeof growTrees>) {
  const steps = growTrees(...input);
  const metrics: number[] = [];
  for (;;) {
    const step = steps.next();
    if (step.done === true) return { ensemble: step.value, metrics };
    if (step.value.metric !== null) metrics.push(step.value.metric);
  }
}
export const trainLogistic = (...input: Parameters<typeof fitLogistic>) =>
  lastOf(fitLogistic(...input));
