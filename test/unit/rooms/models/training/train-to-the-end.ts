/** Trainings without a stop between their steps. */
import { fitLogistic } from '../../../../../src/rooms/models/training/train-logistic.ts';
import { growTrees } from '../../../../../src/rooms/models/training/train-trees.ts';

/** @returns the result of what works step by step */
export function lastOf<Step, Result>(steps: Generator<Step, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

export const trainTrees = (...input: Parameters<typeof growTrees>) => lastOf(growTrees(...input));
export const trainLogistic = (...input: Parameters<typeof fitLogistic>) =>
  lastOf(fitLogistic(...input));
