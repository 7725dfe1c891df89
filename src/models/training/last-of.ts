/** Runs what works step by step to its end; @returns its result */
export function lastOf<Step, Result>(steps: Generator<Step, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
