/**
 * A run in parts of equal length: rate, processor time, and counters of Postgres and of the workers in each, read from outside.
 * Rebuilds of profiles, pages touched for the first time, evictions and checkpoints come and go within a run, so parts of one run
 * differ by them and share the rest.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { BenchTable } from './bench.ts';
import { readEngineCpu } from './cpu-by-role.ts';
import type { Pipeline } from './pipeline.ts';
import { machineCpuSeconds, treeMinorFaults } from './process-usage.ts';
import { readScoringCounts } from './scoring-counts.ts';

/** Counters of Postgres since its start; sessions report theirs once a second. */
const COUNTERS = `
  select (sum(read_bytes) / 8192)::float8 as buffers_read, (sum(extend_bytes) / 8192)::float8 as buffers_new,
         sum(evictions)::float8 as evictions,
         (select wal_fpi::float8 from pg_stat_wal) as full_pages,
         (select wal_bytes::float8 from pg_stat_wal) as wal_bytes,
         (select (num_timed + num_requested)::float8 from pg_stat_checkpointer) as checkpoints_begun,
         (select num_done::float8 from pg_stat_checkpointer) as checkpoints_done
    from pg_stat_io where object = 'relation'`;
type Counters = {
  readonly buffers_read: number;
  readonly buffers_new: number;
  readonly evictions: number;
  readonly full_pages: number;
  readonly wal_bytes: number;
  readonly checkpoints_begun: number;
  readonly checkpoints_done: number;
};

type Reading = Counters & {
  readonly seconds: number;
  /** Seconds of all processors together, and those in which nobody used them. */
  readonly machine_seconds: number;
  readonly idle_seconds: number;
  readonly scored: number;
  /** Profiles that no memory of a worker had, by where they were found. */
  readonly from_redis: number;
  readonly from_snapshots: number;
  readonly rebuilt: number;
  /** Minor page faults of Postgres: a process touches a page of memory for its own first time, shared buffers included. */
  readonly page_faults: number;
} & ReturnType<typeof readEngineCpu>;

/** Counts from one reading to a later one; processor time in seconds by role. */
export type Window = Reading;

async function readCounters(database: Client): Promise<Counters> {
  const { rows } = await database.query<Counters>(COUNTERS);
  const [counters] = rows;
  if (counters === undefined) throw new Error('one row was expected');
  return counters;
}

async function read(pipeline: Pipeline, signal: AbortSignal): Promise<Reading> {
  const { services, workers } = pipeline;
  const machine = machineCpuSeconds();
  const { scored, hits, rebuilt } = await readScoringCounts(workers, signal);
  return {
    seconds: performance.now() / 1000,
    ...{ machine_seconds: machine.all, idle_seconds: machine.idle },
    ...readEngineCpu(pipeline),
    page_faults: treeMinorFaults(services.postgresPid),
    ...{ scored, from_redis: hits.redis, from_snapshots: hits.postgres, rebuilt },
    ...(await readCounters(services.database)),
  };
}

/** @param by −1 subtracts */
function add(one: Reading, other: Reading, by: 1 | -1): Reading {
  const names = Object.keys(one) as (keyof Reading)[];
  return Object.fromEntries(names.map((name) => [name, one[name] + by * other[name]])) as Reading;
}

export type FollowedWindows = {
  /** The parts so far; a last one that is shorter than half of the others belongs to the one before it. */
  readonly end: () => Promise<readonly Window[]>;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function followWindows(
  pipeline: Pipeline,
  windowMs: number,
  signal: AbortSignal,
): Promise<FollowedWindows> {
  const over = new AbortController();
  const readings = [await read(pipeline, signal)];
  const beganMs = performance.now();
  const follow = async () => {
    const stopped = AbortSignal.any([signal, over.signal]);
    for (let nth = 1; ; nth++) {
      const leftMs = beganMs + nth * windowMs - performance.now();
      await delay(Math.max(0, leftMs), undefined, { signal: stopped }).catch(() => undefined);
      if (stopped.aborted) return;
      readings.push(await read(pipeline, signal));
    }
  };
  const following = follow();
  // A failure is thrown where it is ended.
  following.catch(() => undefined);
  const stop = async () => {
    over.abort();
    await following;
  };
  return {
    async end() {
      await stop();
      const last = await read(pipeline, signal);
      const before = readings.at(-1);
      const isShort = before !== undefined && last.seconds - before.seconds < windowMs / 2000;
      if (isShort && readings.length > 1) readings.pop();
      readings.push(last);
      return readings.slice(1).map((reading, at) => add(reading, readings[at] ?? reading, -1));
    },
    [Symbol.asyncDispose]: () => stop().catch(() => undefined),
  };
}

/** All parts together. */
export function wholeOf([first, ...others]: readonly Window[]): Window {
  if (first === undefined) throw new Error('a run has at least one part');
  return others.reduce((sum, window) => add(sum, window, 1), first);
}

const ROLES = ['api', 'workers', 'postgres', 'redis'] as const;
const EVENTS = [
  ...(['from_redis', 'from_snapshots', 'rebuilt'] as const),
  ...(['page_faults', 'buffers_read', 'buffers_new', 'evictions', 'full_pages'] as const),
];

/**
 * Processor time a transaction, and what workers and Postgres did for each. Beside much work of others, of which the generator and
 * the bench are a few per cent, the same work takes more processor time.
 */
export function costOf(window: Window) {
  const each = (count: number, digits: number) => (count / window.scored).toFixed(digits);
  const us = (roles: readonly (typeof ROLES)[number][]) =>
    each(1e6 * roles.reduce((sum, role) => sum + window[role], 0), 1);
  const engine = ROLES.reduce((sum, role) => sum + window[role], 0);
  const others = window.machine_seconds - window.idle_seconds - engine;
  return {
    ...Object.fromEntries(ROLES.map((role) => [`${role}_us`, us([role])])),
    together_us: us(ROLES),
    ...Object.fromEntries(EVENTS.map((event) => [event, each(window[event], 3)])),
    wal_bytes: each(window.wal_bytes, 0),
    others_percent: ((100 * others) / window.machine_seconds).toFixed(0),
  };
}

export function windowTable(windows: readonly Window[]): BenchTable {
  let until = 0;
  return {
    title: 'part by part: until this second, and a transaction',
    rows: windows.map((window) => {
      until += window.seconds;
      return {
        until_s: until.toFixed(0),
        per_second: (window.scored / window.seconds).toFixed(0),
        ...costOf(window),
        checkpoints_begun: window.checkpoints_begun,
        checkpoints_done: window.checkpoints_done,
      };
    }),
  };
}
