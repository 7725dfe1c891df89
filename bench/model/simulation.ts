/**
 * Discrete events: a clock in milliseconds, processes that wait, and the things for which they wait. Events of one time happen in
 * the order in which they were arranged, so that a seed decides everything.
 */

/** Arranges that `resume` is called once, now or later. */
export type Wait = (resume: () => void) => void;
export type Process = Generator<Wait, void, void>;

export type Simulation = {
  readonly now: () => number;
  readonly after: (ms: number, act: () => void) => void;
  readonly delay: (ms: number) => Wait;
  /** Runs the process until its first wait; `ended` is called at its end. */
  readonly start: (process: Process, ended?: () => void) => void;
  /** Until the time, or until nothing is left to happen. */
  readonly run: (untilMs: number) => void;
};

type Event = { readonly at: number; readonly nth: number; readonly act: () => void };

export function createSimulation(): Simulation {
  /** A binary heap, the earliest event first. */
  const heap: Event[] = [];
  let [nowMs, count] = [0, 0];
  const isBefore = (a: Event, b: Event) => a.at < b.at || (a.at === b.at && a.nth < b.nth);
  const after: Simulation['after'] = (ms, act) => {
    const event = { at: nowMs + Math.max(0, ms), nth: count++, act };
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (isBefore(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  };
  const takeFirst = (): Event | undefined => {
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || last === first) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const isRight = right < heap.length && isBefore(heap[right] as Event, heap[left] as Event);
      const child = isRight ? right : left;
      if (isBefore(last, heap[child] as Event)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
    return first;
  };
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
      while ((heap[0]?.at ?? Number.POSITIVE_INFINITY) <= untilMs) {
        const event = takeFirst() as Event;
        nowMs = event.at;
        event.act();
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
