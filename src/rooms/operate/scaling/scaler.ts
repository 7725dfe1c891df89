/**
 * Decides when a role gets a process more or less, from triggers and measures; the caller has the clock. No step comes within
 * the cool-down of the one before, and none removes a process while a trigger asks for more, or where the processes that stay
 * would be too busy: a step down is then never the cause of a step up under the same load.
 */
import type { Measure, Trigger } from '../../../kit/alerts/triggers.ts';

/** Measures of a moment; one that is unknown is absent, and moves nothing. */
export type Reading = Readonly<Partial<Record<Measure, number>>>;

export type ScalingPolicy = {
  readonly triggers: readonly Trigger[];
  readonly min: number;
  readonly max: number;
  readonly coolDownMs: number;
};

export type Step = {
  readonly change: 1 | -1;
  readonly trigger: Trigger;
  /** The mean that triggered it. */
  readonly mean: number;
};

export type Scaler = {
  /** Notes a reading, and returns the step to take now; the caller takes each step and calls `changed`. */
  readonly next: (nowMs: number, processes: number, reading: Reading) => Step | undefined;
  /** The cool-down counts from here. */
  readonly changed: (nowMs: number) => void;
};

const SECOND_MS = 1000;

export function createScaler({ triggers, min, max, coolDownMs }: ScalingPolicy): Scaler {
  const longestMs = Math.max(...triggers.map(({ windowSeconds }) => windowSeconds)) * SECOND_MS;
  const busy = triggers.find(({ measure, add }) => add && measure === 'processor_ratio');
  /** Oldest first; the first is as old as the longest window, or older. */
  const samples: { readonly atMs: number; readonly reading: Reading }[] = [];
  const beyondSinceMs = new Map<Trigger, number>();
  let changedMs = Number.NEGATIVE_INFINITY;

  /** Undefined until the samples reach back as far as the window. */
  const meanOf = ({ measure, windowSeconds }: Trigger, nowMs: number): number | undefined => {
    const fromMs = nowMs - windowSeconds * SECOND_MS;
    if ((samples[0]?.atMs ?? nowMs) > fromMs) return undefined;
    const values = samples.flatMap(({ atMs, reading }) =>
      atMs > fromMs ? (reading[measure] ?? []) : [],
    );
    if (values.length === 0) return undefined;
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const note = (nowMs: number, reading: Reading) => {
    samples.push({ atMs: nowMs, reading });
    while ((samples[1]?.atMs ?? nowMs) <= nowMs - longestMs) samples.shift();
    return triggers.flatMap((trigger) => {
      const mean = meanOf(trigger, nowMs);
      const { add, threshold } = trigger;
      if (mean === undefined || (add ? mean <= threshold : mean >= threshold)) {
        beyondSinceMs.delete(trigger);
        return [];
      }
      const sinceMs = beyondSinceMs.get(trigger) ?? nowMs;
      beyondSinceMs.set(trigger, sinceMs);
      return [{ trigger, mean, isDue: nowMs - sinceMs >= trigger.forSeconds * SECOND_MS }];
    });
  };
  /** Whether one process less does the work of now without asking for its return. */
  const isSpare = (nowMs: number, processes: number): boolean => {
    if (busy === undefined) return true;
    const mean = meanOf(busy, nowMs);
    return mean === undefined || (mean * processes) / (processes - 1) < busy.threshold;
  };
  return {
    next(nowMs, processes, reading) {
      const beyond = note(nowMs, reading);
      if (nowMs - changedMs < coolDownMs) return undefined;
      const asks = beyond.filter(({ trigger }) => trigger.add);
      const due = (asks.length > 0 ? asks : beyond).find(({ isDue }) => isDue);
      if (due === undefined) return undefined;
      const { trigger, mean } = due;
      if (trigger.add) return processes < max ? { change: 1, trigger, mean } : undefined;
      const mayGo = processes > min && isSpare(nowMs, processes);
      return mayGo ? { change: -1, trigger, mean } : undefined;
    },
    changed(nowMs) {
      changedMs = nowMs;
    },
  };
}
