/**
 * A steady load with faults in it: nothing may be lost or doubled, latency outside of the windows of faults may not rise, and no
 * process may grow while it lives.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { countBacklog } from '../../src/core/store/open-rows/open-rows.ts';
import { API_KEY, type Engine, startEngine } from '../../test/chaos/support/engine.ts';
import { startServices } from '../../test/chaos/support/services.ts';
import type { BenchContext, BenchReport } from './bench.ts';
import { type Load, startLoad } from './load.ts';
import { MEBIBYTE } from './load-run.ts';
import { marketUrl } from './market.ts';
import { readMetrics } from './metrics.ts';
import { type Percentiles, percentiles } from './percentiles.ts';
import { rssBytes } from './process-usage.ts';
import { makeRunFolder } from './run-folder.ts';
import { LAUNCHER } from './services.ts';
import { slopeWithin } from './slope.ts';
import { spreadOf } from './spread.ts';
import { readStored, storedBreaches } from './stored.ts';
import { FAULT_NAMES, outside, type Strike, startStrikes, type Window } from './strikes.ts';

export type FaultySoak = {
  readonly load: Load;
  readonly rounds: number;
  readonly everySeconds: number;
};

const WORKERS = 2;
const LOOK_MS = 1000;
const READ_MS = 10_000;
const REST_MS_MAX = 180_000;
const POLL_MS = 250;
const HOUR_MS = 3_600_000;
/** Code is compiled and heaps find their size for this long in a life of a process. */
const SETTLING_MS = 15 * 60_000;
/** A shorter rest of a life has more noise than growth: heaps that find their size moved 3 MiB within 20 minutes, 9 an hour. */
const JUDGED_MS_MIN = 45 * 60_000;
const GROWTH_MIB_PER_HOUR_MAX = 4;
const SCORED_P99_MS_MAX = 1000;
/** The last quarter's p99 of that of the first. */
const RISE_MAX = 2;
/** A window of the rows of a round that is shorter tells nothing of its p99. */
const CLEAN_MS_MIN = 5000;

/** MiB of a process at a time: resident, and of that in caches that have a bound. */
type Look = { readonly atMs: number; readonly resident: number; readonly caches: number };

/** Life of a process: from a start to its end. */
type Life = { readonly name: string; readonly looks: Look[] };

/** Caches that fill within a bound: copies of profiles of a worker, filters of keys of an API. */
const CACHES = ['risk_profile_copies_bytes', 'risk_idempotency_filter_bytes'];

function followMemory(engine: Engine, signal: AbortSignal) {
  const lives = new Map<number, Life & { caches: number }>();
  const looking = setInterval(() => {
    for (const { name, pid } of engine.running()) {
      const life = lives.get(pid) ?? { name, looks: [], caches: 0 };
      lives.set(pid, life);
      const resident = rssBytes(pid) / MEBIBYTE;
      // A process that was killed a moment ago has none.
      if (resident > 0) life.looks.push({ atMs: Date.now(), resident, caches: life.caches });
    }
  }, LOOK_MS);
  const reading = setInterval(async () => {
    for (const each of engine.running()) {
      // A process that is frozen, starts or ends keeps what was read before.
      const within = AbortSignal.any([signal, AbortSignal.timeout(READ_MS)]);
      const metrics = await readMetrics(each, within, API_KEY).catch(() => undefined);
      const life = lives.get(each.pid);
      if (metrics === undefined || life === undefined) continue;
      life.caches = CACHES.reduce((sum, name) => sum + metrics.sum(name), 0) / MEBIBYTE;
    }
  }, READ_MS);
  return {
    lives,
    [Symbol.dispose]: () => {
      clearInterval(looking);
      clearInterval(reading);
    },
  };
}

/** A minute's median in place of its looks: a slope of all pairs of 14,400 would take minutes. */
const MINUTE_MS = 60_000;

/**
 * Growth of what a process has beside its caches, between faults: caches fill for hours where parties are many, and end at their
 * bounds; a fault leaves what its backlog needed.
 */
export function growthOf({ looks }: Life, faults: readonly Window[]) {
  const fromMs = (looks[0]?.atMs ?? 0) + SETTLING_MS;
  const parts = outside({ fromMs, toMs: looks.at(-1)?.atMs ?? 0 }, faults).map((part) => {
    const own = looks.filter(({ atMs }) => atMs >= part.fromMs && atMs < part.toMs);
    const minutes = Map.groupBy(own, ({ atMs }) => Math.floor((atMs - part.fromMs) / MINUTE_MS));
    return [...minutes.entries()].map(([minute, some]) => ({
      x: (minute * MINUTE_MS) / HOUR_MS,
      y: spreadOf(some.map(besideCaches)).median,
    }));
  });
  return { judgedMs: parts.flat().length * MINUTE_MS, perHour: slopeWithin(parts) };
}

const besideCaches = ({ resident, caches }: Look) => resident - caches;

/** The first id of this millisecond: ids are UUIDv7 of `created_at`. */
function idFrom(ms: number): string {
  const hex = Math.floor(ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

const SCORED_AFTER = `
  select (extract(epoch from scored_at - created_at) * 1000)::float8 as ms from scores
   where transaction_id >= $1::uuid and transaction_id < $2::uuid
     and created_at >= to_timestamp($3::float8 / 1000) and created_at < to_timestamp($4::float8 / 1000)`;

/** Percentiles of the time from due to scored, of each round that has enough time outside of windows. */
async function cleanRounds(
  database: pg.Client,
  rounds: readonly Window[],
  struck: readonly Strike[],
): Promise<Percentiles[]> {
  const found: Percentiles[] = [];
  for (const round of rounds) {
    const spans = outside(round, struck);
    if (spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) < CLEAN_MS_MIN) continue;
    const taken: number[] = [];
    for (const { fromMs, toMs } of spans) {
      const values = [idFrom(fromMs), idFrom(toMs), fromMs, toMs];
      const { rows } = await database.query<{ ms: number }>(SCORED_AFTER, values);
      for (const { ms } of rows) taken.push(ms);
    }
    if (taken.length > 0) found.push(percentiles(taken));
  }
  return found;
}

export async function soakWithFaults(
  { load, rounds, everySeconds }: FaultySoak,
  { signal, output }: BenchContext,
): Promise<BenchReport> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await makeRunFolder('risk-soak'));
  const logFolder = join(folder, 'logs');
  mkdirSync(logFolder, { mode: 0o777 });
  const services = opened.use(
    await startServices({
      folder,
      launcher: LAUNCHER,
      postgresSettings: {},
      signal,
    }),
  );
  const { databaseUrl, redisUrl, query } = services;
  const engine = opened.use(
    await startEngine({
      ...{ databaseUrl, redisUrl, launcher: LAUNCHER, environment: {}, apis: 1, workers: WORKERS },
      ...{ logFolder, signal },
    }),
  );
  const [api] = engine.running('api');
  const target = { folder, apiKey: API_KEY, apiPort: Number(new URL(api?.url ?? '').port) };
  const backlog = () =>
    countBacklog(({ text }) => query(text.replaceAll('market.', '')) as Promise<never[]>);
  const startedMs = Date.now();
  using memory = followMemory(engine, signal);
  const strikes = startStrikes({
    ...{ engine, services, backlog, signal, rate: load.rate, everyMs: everySeconds * 1000 },
    onStrike: (fault) => output.note(fault),
  });
  const times: Window[] = [];
  let [posted, resent] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    using generator = await startLoad(target, { ...load, seed: `${load.seed}-${round}` }, signal);
    const result = await generator.go();
    posted += result.accepted + result.duplicates;
    resent += result.resent;
    times.push({ fromMs: result.firstRequestMs, toMs: result.lastAnswerMs });
  }
  const struck = await strikes.end();
  const restDeadline = Date.now() + REST_MS_MAX;
  while ((await backlog()) > 0 && Date.now() < restDeadline) {
    await delay(POLL_MS, undefined, { signal });
  }
  const minutes = (Date.now() - startedMs) / MINUTE_MS;
  await using database = await openSession(databaseUrl);
  const { lost, doubled, transactions, dead_letters } = await readStored(database.client);
  const unstored = posted - transactions;
  const clean = await cleanRounds(database.client, times, struck);
  const { lives } = memory;
  return {
    caseName: `${minutes.toFixed(0)} minutes at ${load.rate} a second, a fault each ${everySeconds} s`,
    inputs: { ...load, rounds, workers: WORKERS, fault_every_seconds: everySeconds },
    settings: {},
    versions: {},
    perSecond: transactions / (minutes * 60),
    figures: {
      ...{ minutes, posted, stored: transactions, lost, doubled, dead_letters, resent },
      strikes: struck.length,
      slowest_recovery_ms: Math.max(0, ...struck.map(({ fromMs, toMs }) => toMs - fromMs)),
      outside_scored_p50_ms: spreadOf(clean.map(({ p50 }) => p50)).median,
      outside_scored_p99_ms: spreadOf(clean.map(({ p99 }) => p99)).median,
      outside_scored_p99_rise: riseOf(clean.map(({ p99 }) => p99)),
    },
    ceilings: [],
    tables: [
      { title: 'faults', rows: struck.map((one) => strikeRow(one, startedMs)) },
      {
        title: 'memory of each life, MiB',
        rows: [...lives.values()].map((life) => lifeRow(life, struck)),
      },
    ],
    breaches: [
      ...storedBreaches({ lost, doubled }),
      ...(unstored === 0 ? [] : [`${posted} were answered as stored, and ${transactions} are`]),
      ...(dead_letters === 0 ? [] : [`${dead_letters} became dead letters`]),
      ...missingFaults(struck, minutes, everySeconds),
      ...latencyBreaches(clean),
      ...[...lives.values()].flatMap((life) => growthBreaches(life, struck)),
    ],
  };
}

async function openSession(databaseUrl: string) {
  const client = new pg.Client({ connectionString: marketUrl(databaseUrl) });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

/** The median of the last quarter by that of the first. */
function riseOf(values: readonly number[]): number {
  const quarter = Math.max(1, Math.floor(values.length / 4));
  return spreadOf(values.slice(-quarter)).median / spreadOf(values.slice(0, quarter)).median;
}

function latencyBreaches(clean: readonly Percentiles[]): string[] {
  const p99s = clean.map(({ p99 }) => p99);
  const [p99, rise] = [spreadOf(p99s).median, riseOf(p99s)];
  return [
    ...(p99 <= SCORED_P99_MS_MAX ? [] : [`outside of faults p99 was ${p99.toFixed(0)} ms`]),
    ...(rise <= RISE_MAX ? [] : [`outside of faults p99 rose to ${rise.toFixed(1)} times`]),
  ];
}

/** A run that is long enough for a cycle has each fault. */
function missingFaults(struck: readonly Strike[], minutes: number, everySeconds: number): string[] {
  if (minutes * 60 < (FAULT_NAMES.length + 1) * 2 * everySeconds) return [];
  const made = new Set(struck.map(({ fault }) => fault));
  return FAULT_NAMES.filter((name) => !made.has(name)).map((name) => `never happened: ${name}`);
}

function growthBreaches(life: Life, struck: readonly Strike[]): string[] {
  const { judgedMs, perHour } = growthOf(life, struck);
  if (judgedMs < JUDGED_MS_MIN || perHour <= GROWTH_MIB_PER_HOUR_MAX) return [];
  return [`${life.name} grew by ${perHour.toFixed(1)} MiB an hour beside its caches and faults`];
}

function strikeRow({ fault, fromMs, toMs }: Strike, startedMs: number) {
  return {
    minute: ((fromMs - startedMs) / MINUTE_MS).toFixed(1),
    fault,
    window_s: ((toMs - fromMs) / 1000).toFixed(1),
  };
}

function lifeRow(life: Life, struck: readonly Strike[]) {
  const { name, looks } = life;
  const { judgedMs, perHour } = growthOf(life, struck);
  const settled = looks[Math.min(looks.length - 1, SETTLING_MS / LOOK_MS)];
  const last = looks.at(-1);
  const { p50, max } = percentiles(looks.map(({ resident }) => resident));
  const short = judgedMs < JUDGED_MS_MIN;
  return {
    ...{ process: name, minutes: (looks.length / 60).toFixed(1) },
    ...{ p50: p50.toFixed(0), most: max.toFixed(0) },
    caches: (last?.caches ?? 0).toFixed(0),
    beside_after_settling: (settled && besideCaches(settled))?.toFixed(0) ?? '',
    beside_at_end: (last && besideCaches(last))?.toFixed(0) ?? '',
    growth_between_faults_an_hour: short ? 'too short' : perHour.toFixed(1),
  };
}
