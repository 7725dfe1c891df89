/**
 * Discrete events: a clock in milliseconds, processes that wait, and the things for which they wait. Events of one time happen in
 * the order in which they were arranged, so that a seed decides everything.
 */
import { type Event, pop, push } from '../../test/simulation/clock.ts';

/** Arranges that `resume` is called once, now or later. */
export type Wait = (resume: () => void) => void;
export type Process = Generator<Wait, void, void>;

export type Simulation = {
  readonly now: () => number;
  readonly after: (ms: number, action: () => void) => void;
  readonly delay: (ms: number) => Wait;
  /** Runs the process until its first wait; `ended` is called at its end. */
  readonly start: (process: Process, ended?: () => void) => void;
  /** Until the time, or until nothing is left to happen. */
  readonly run: (untilMs: number) => void;
};

export function createSimulation(): Simulation {
  const events: Event[] = [];
  let [nowMs, order] = [0, 0];
  const after: Simulation['after'] = (ms, action) =>
    push(events, { atMs: nowMs + Math.max(0, ms), order: order++, action });
  const start: Simulation['start'] = (process, ended) => {
    const step = () => {
      const { done, value } = process.next();
      if (done === true) ended?.();
      else value(step);
    };
    step();
  };
  return {
    now: () => nowMs,
    after,
    delay: (ms) => (resume) => after(ms, resume),
    start,
    run(untilMs) {
      while ((events[0]?.atMs ?? Number.POSITIVE_INFINITY) <= untilMs) {
        const event = pop(events) as Event;
        nowMs = event.atMs;
        event.action();
      }
      nowMs = Math.max(nowMs, untilMs);
    },
  };
}

/** So many may hold a slot at a time; others wait in their order. */
export function createSlots(count: number) {
  const waiting: (() => void)[] = [];
  let free = count;
  return {
    take: ((resume) => {
      if (free > 0) {
        free -= 1;
        resume();
      } else waiting.push(resume);
    }) satisfies Wait,
    release(): void {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}

/** A disk that takes no processor: writes that arrive during a flush share the next one, as commits of Postgres do. */
export function createDisk({ after }: Simulation, flushMs: () => number) {
  let waiting: (() => void)[] = [];
  let isBusy = false;
  let flushes = 0;
  const flush = () => {
    const served = waiting;
    waiting = [];
    isBusy = served.length > 0;
    if (!isBusy) return;
    flushes += 1;
    after(flushMs(), () => {
      for (const resume of served) resume();
      flush();
    });
  };
  return {
    flushes: () => flushes,
    write: ((resume) => {
      waiting.push(resume);
      if (!isBusy) flush();
    }) satisfies Wait,
  };
}
