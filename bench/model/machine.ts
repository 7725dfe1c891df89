/**
 * Processors that threads share. A thread does one task after the other; threads that have a task share the processors by their
 * weights, none of them more than one, as a scheduler of fair shares does.
 */
import type { Simulation, Wait } from './simulation.ts';

export type Thread = {
  /** @param ms of one processor that nobody else disturbs */
  readonly work: (ms: number) => Wait;
};

export type Machine = {
  readonly thread: (role: string, weight?: number) => Thread;
  /** Milliseconds of processors that each role has used, and what they would have been with nobody else on the machine. */
  readonly used: ReadonlyMap<string, Used>;
};

export type Used = { readonly ms: number; readonly aloneMs: number };

type Task = { left: number; readonly resume: () => void };
type Running = {
  /** The sums of the thread's role. */
  readonly of: { ms: number; aloneMs: number };
  readonly weight: number;
  readonly tasks: Task[];
  /** Part of one processor. */
  share: number;
};

/** Threads whose weight is worth more than a processor get one, and the others share what is left. */
function shareByWeight(threads: readonly Running[], cores: number): void {
  let [rest, room] = [threads, cores];
  while (rest.length > 0) {
    const each = room / rest.reduce((sum, { weight }) => sum + weight, 0);
    const others = rest.filter(({ weight }) => weight * each < 1);
    const isEnd = others.length === rest.length;
    for (const one of rest)
      if (isEnd || !others.includes(one)) one.share = Math.min(1, one.weight * each);
    room -= rest.length - others.length;
    rest = isEnd ? [] : others;
  }
}

/** Rounding of times leaves less of a finished task than this. */
const LEFT_MS = 1e-9;

/**
 * @param busySpeed how fast a processor works while all others are busy, too: they share caches and memory, and often a core
 */
export function createMachine(
  { now, after }: Simulation,
  { cores, busySpeed }: { readonly cores: number; readonly busySpeed: number },
): Machine {
  const used = new Map<string, { ms: number; aloneMs: number }>();
  const active: Running[] = [];
  let [lastMs, version, speed] = [0, 0, 1];

  const advance = () => {
    const elapsed = now() - lastMs;
    lastMs = now();
    if (elapsed === 0) return;
    for (const { share, tasks, of } of active) {
      (tasks[0] as Task).left -= elapsed * share * speed;
      of.ms += elapsed * share;
      of.aloneMs += elapsed * share * speed;
    }
  };

  const shareOut = () => {
    const busy = Math.min(cores, active.length);
    speed = cores > 1 ? 1 - ((1 - busySpeed) * Math.max(0, busy - 1)) / (cores - 1) : 1;
    if (active.length > cores) shareByWeight(active, cores);
    else for (const one of active) one.share = 1;
  };

  const arrange = () => {
    shareOut();
    version += 1;
    const own = version;
    let next = Number.POSITIVE_INFINITY;
    for (const { share, tasks } of active) {
      next = Math.min(next, (tasks[0] as Task).left / (share * speed));
    }
    if (next === Number.POSITIVE_INFINITY) return;
    after(next, () => {
      if (version === own) finish();
    });
  };

  const finish = () => {
    advance();
    const finished: Task[] = [];
    for (let at = active.length - 1; at >= 0; at--) {
      const { tasks } = active[at] as Running;
      if ((tasks[0] as Task).left > LEFT_MS) continue;
      finished.push(tasks.shift() as Task);
      if (tasks.length === 0) active.splice(at, 1);
    }
    arrange();
    for (const { resume } of finished) resume();
  };

  return {
    used,
    thread(role, weight = 1) {
      const of = used.get(role) ?? { ms: 0, aloneMs: 0 };
      used.set(role, of);
      const own: Running = { of, weight, tasks: [], share: 0 };
      return {
        work: (ms) => (resume) => {
          own.tasks.push({ left: ms, resume });
          if (own.tasks.length > 1) return;
          advance();
          active.push(own);
          arrange();
        },
      };
    },
  };
}
