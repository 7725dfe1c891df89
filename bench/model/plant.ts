/** The parts of a site: processors, threads on them, sessions of Postgres, its log, and the stream. */
import { createRandom, logNormal } from '../../src/kit/random.ts';
import type { Costs, Waits } from './costs.ts';
import { createMachine, type Machine, type Thread, type Used } from './machine.ts';
import { createDisk, createSimulation, type Process, type Wait } from './simulation.ts';

export type Site = {
  /** Processors that everything shares; absent: each API, worker and Redis has one of its own, and each Postgres `postgresCores`. */
  readonly sharedCores?: number;
  readonly postgresCores: number;
  readonly apis: number;
  readonly workers: number;
  readonly replicas: number;
  /** Share of the reads of Postgres that replicas answer, where there are any. */
  readonly replicaShare: number;
  readonly corridors: number;
  /** Share of the reads that the memory of an API does not answer. */
  readonly readsMissed: number;
};

export type Model = { readonly costs: Costs; readonly waits: Waits; readonly seed: string };

const IDLE_EVERY_MS = 250;

export type Plant = ReturnType<typeof createPlant>;

export function createPlant({ costs, waits, seed }: Model, site: Site) {
  const simulation = createSimulation();
  const random = createRandom(seed);
  const { busySpeed, sigma } = waits;
  const isShared = site.sharedCores !== undefined;
  const machines: Machine[] = [];
  const addMachine = (cores: number, speed: number) => {
    const made = createMachine(simulation, { cores, busySpeed: speed });
    machines.push(made);
    return made;
  };
  const shared = isShared ? addMachine(site.sharedCores ?? 1, busySpeed) : undefined;
  const machineOf = (cores: number) => shared ?? addMachine(cores, 1);
  /** Log-normal of mean 1. */
  const vary = () => (sigma === 0 ? 1 : logNormal(random, Math.exp(-(sigma * sigma) / 2), sigma));
  /** Processors apart are as slow as busy ones: nobody knows what their neighbours do. */
  const slowed = isShared ? 1 : 1 / busySpeed;
  const hop = simulation.delay(waits.hopMs);
  const work = (thread: Thread, us: number) => thread.work((us / 1000) * slowed * vary());
  const spread = (meanMs: number) => -Math.log(1 - random()) * meanMs;
  /** Uses so many processors on average: at even times, as duties do. */
  const idle = (thread: Thread, cores: number) => {
    const tick = () => {
      thread.work(cores * IDLE_EVERY_MS)(() => undefined);
      simulation.after(IDLE_EVERY_MS, tick);
    };
    if (cores > 0) simulation.after(random() * IDLE_EVERY_MS, tick);
  };
  /** Uses so many processors on average: in pieces and at times of any length, as strangers do. */
  const disturb = (thread: Thread, cores: number, everyMs: number) => {
    const tick = () =>
      simulation.after(spread(Math.max(0, 1 - cores) * everyMs), () =>
        thread.work(spread(cores * everyMs))(tick),
      );
    if (cores > 0) tick();
  };
  const openSessions = (role: string) => {
    const machine = machineOf(site.postgresCores);
    const free: Thread[] = [];
    /** Each statement has the thread of its session. */
    return function* statement(us: number): Process {
      const session = free.pop() ?? machine.thread(role);
      yield hop;
      yield work(session, us);
      free.push(session);
    };
  };
  const onPrimary = openSessions('postgres');
  const replicas = Array.from({ length: site.replicas }, () => openSessions('replica'));
  return {
    ...{ simulation, random, spread, hop, work, idle, disturb, costs, site, onPrimary },
    redis: machineOf(1).thread('redis'),
    disk: createDisk(simulation, () => waits.flushMs * vary()),
    thread: (role: string, weight?: number) => machineOf(1).thread(role, weight),
    lookUp(us: number): Process {
      const replica = replicas[Math.floor(random() * replicas.length)];
      return (replica !== undefined && random() < site.replicaShare ? replica : onPrimary)(us);
    },
    streamsOf: (rows: number) => streamsOf(rows, site.corridors),
    /** Processor time by role, of all machines. */
    used(): Readonly<Record<string, Used>> {
      const sums: Record<string, Used> = {};
      for (const { used } of machines) {
        for (const [role, { ms, aloneMs }] of used) {
          const sum = sums[role] ?? { ms: 0, aloneMs: 0 };
          sums[role] = { ms: sum.ms + ms, aloneMs: sum.aloneMs + aloneMs };
        }
      }
      return sums;
    },
  };
}

/** Different streams among so many rows. */
export const streamsOf = (rows: number, corridors: number): number =>
  corridors * (1 - (1 - 1 / corridors) ** rows);

export type Waiting = { readonly rows: number; readonly dueMs: number };

/** Entries that wait to be scored, in their order. An entry wakes the reader that has waited for longest. */
export function createStream() {
  let queue: Waiting[] = [];
  const blocked: (() => void)[] = [];
  return {
    append(entry: Waiting): void {
      queue.push(entry);
      blocked.shift()?.();
    },
    isEmpty: () => queue.length === 0,
    arrived: ((resume) => {
      if (queue.length > 0) resume();
      else blocked.push(resume);
    }) satisfies Wait,
    /** Entries of so many rows; the last one may exceed the bound. */
    take(rowsMax: number): readonly Waiting[] {
      let [rows, count] = [0, 0];
      for (; rows < rowsMax && count < queue.length; count++) rows += queue[count]?.rows ?? 0;
      const taken = queue.slice(0, count);
      queue = queue.slice(count);
      return taken;
    },
  };
}
export type Stream = ReturnType<typeof createStream>;

export const rowsOf = (entries: readonly Waiting[]): number =>
  entries.reduce((sum, { rows }) => sum + rows, 0);
