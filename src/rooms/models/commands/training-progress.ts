/** Prints progress lines on standard error during a training. */
import type { BuildStep } from '../training/build-model.ts';

export type TrainingProgress = {
  reading(window: string, rows: number, rowsMax: number): void;
  step(step: BuildStep): void;
};

/** Time between two lines of one activity. */
const LINE_INTERVAL_MS = 2000;

export function createTrainingProgress(note: (text: string) => void): TrainingProgress {
  let doing = '';
  let lineAtMs = Number.NEGATIVE_INFINITY;
  const say = (what: string, text: string) => {
    const nowMs = performance.now();
    if (what === doing && nowMs - lineAtMs < LINE_INTERVAL_MS) return;
    doing = what;
    lineAtMs = nowMs;
    note(text);
  };
  return {
    reading: (window, rows, rowsMax) => {
      const what = `reading the ${window} window`;
      say(what, `${what}: ${rows} of ${rowsMax} rows`);
    },
    step: ({ doing: what, step, stepsMax, metric }) => {
      const of = stepsMax === null ? '' : ` of at most ${stepsMax}`;
      const shown = metric === null ? '' : `, ${metric.toFixed(4)} on the validation window`;
      say(what, step === 0 ? what : `${what}: ${step}${of}${shown}`);
    },
  };
}
