/** Results of what works step by step. */
import { setImmediate } from 'node:timers/promises';

export function lastOf<Result>(steps: Generator<unknown, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Between two steps the process handles signals. */
export async function resultOf<Step, Result>(
  steps: Generator<Step, Result>,
  signal: AbortSignal,
  note: (step: Step) => void = () => undefined,
): Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    note(step.value);
    await setImmediate();
    signal.throwIfAborted();
  }
}
