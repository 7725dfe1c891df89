/**
 * The cost of transactions when every account is a miss. Accounts with a history act once each, in turn, three times:
 * with their profiles gone from the worker and from Redis (each is rebuilt from Postgres), with the profiles
 * in Redis alone (a new worker), and with whatever the worker's own memory holds of them.
 */
import { profileKeyPattern } from '../src/core/stream/keys.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import {
  DAY_MS,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  lastMidnightMs,
  MONTH_LOAD,
  readLoad,
  readSettings,
} from './support/load.ts';
import { type LoadRun, memoryBreaches, memoryTable, runLoad } from './support/load-run.ts';
import { MARKET } from './support/market.ts';
import { readMetrics } from './support/metrics.ts';
import { readOptions } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { readStored, type Stored, storedBreaches } from './support/stored.ts';

const USAGE = `--history N        transactions of each account before (5)
${LOAD_USAGE}
By default 30,000 accounts; --transactions is as many as there are accounts.`;

const SCAN_KEYS = 10_000;

/** Removes every profile that a worker could use: those in Redis, and the worker with its memory. */
async function forgetProfiles(pipeline: Pipeline): Promise<void> {
  const { redis } = pipeline.services;
  await pipeline.stopWorkers();
  const stream = redis.scanStream({ match: profileKeyPattern(MARKET), count: SCAN_KEYS });
  for await (const keys of stream) {
    if (Array.isArray(keys) && keys.length > 0) await redis.unlink(...keys.map(String));
  }
  await pipeline.startWorkers(1);
}

/** A new worker, whose own memory is empty. */
async function replaceWorker(pipeline: Pipeline): Promise<void> {
  await pipeline.stopWorkers();
  await pipeline.startWorkers(1);
}

const CASES = [
  { name: 'rebuilt from Postgres', prepare: forgetProfiles },
  { name: 'from Redis', prepare: replaceWorker },
  { name: 'from memory as far as it reaches', prepare: async () => undefined },
] as const;

type Rebuilds = Readonly<Record<string, number>>;

/** Counters of the only worker. */
async function readCaches(pipeline: Pipeline, signal: AbortSignal): Promise<Rebuilds> {
  const [worker] = pipeline.workers;
  if (worker === undefined) throw new Error('no worker runs');
  const metrics = await readMetrics(worker, signal);
  return {
    profile_rebuilds: metrics.sum('risk_profile_rebuilds_total'),
    cache_misses: metrics.sum('risk_cache_misses_total'),
    cache_hits: metrics.sum('risk_cache_hits_total'),
  };
}

type Measured = {
  readonly run: LoadRun;
  readonly pipeline: Pipeline;
  readonly caches: Rebuilds;
  readonly stored: Stored;
  readonly settings: Settings;
};

function toReport(
  caseName: string,
  load: Load,
  { run, pipeline, caches, stored, settings }: Measured,
): BenchReport {
  const workers = run.cpu.find(({ role }) => role === 'workers');
  const postgres = run.cpu.find(({ role }) => role === 'postgres');
  return {
    caseName,
    inputs: { ...load, workers: 1, ...pipeline.services.settings },
    settings,
    versions: pipeline.services.versions,
    perSecond: load.transactions / run.seconds,
    figures: {
      end_to_end_per_second: load.transactions / run.seconds,
      cpu_us_per_transaction: (run.cpuSeconds * 1e6) / load.transactions,
      worker_us_per_transaction: Number(workers?.us_per_transaction),
      postgres_us_per_transaction: Number(postgres?.us_per_transaction),
      ...caches,
    },
    ceilings: [],
    tables: [memoryTable(run.memory)],
    breaches: [...storedBreaches(stored), ...memoryBreaches(run.memory)],
  };
}

async function* measure(
  load: Load,
  history: number,
  settings: Settings,
  context: BenchContext,
): AsyncGenerator<BenchReport> {
  const { signal, output } = context;
  await using pipeline = await startPipeline({ workers: 1, settings }, context);
  const { endMs = lastMidnightMs() } = load;
  output.note(`giving ${load.accounts} accounts a history`);
  const before = {
    ...{ ...load, transactions: load.accounts * history, seed: `${load.seed}-history` },
    endMs: endMs - CASES.length * DAY_MS,
  };
  await runLoad(pipeline, before, context);
  for (const [index, { name, prepare }] of CASES.entries()) {
    await prepare(pipeline);
    const earlier = await readCaches(pipeline, signal);
    // Each round is a day after the one before, as late arrivals would be rebuilt in any case.
    const daysAgo = CASES.length - 1 - index;
    const round = {
      ...{ ...load, days: 1, seed: `${load.seed}-${index}` },
      endMs: endMs - daysAgo * DAY_MS,
    };
    const run = await runLoad(pipeline, round, context);
    const later = await readCaches(pipeline, signal);
    const caches = Object.fromEntries(
      Object.entries(later).map(([key, value]) => [key, value - (earlier[key] ?? 0)]),
    );
    const stored = await readStored(pipeline.services.database);
    yield toReport(name, round, { run, pipeline, caches, stored, settings });
  }
}

export const bench: Bench = {
  name: 'cold-profiles',
  question: 'What does a transaction cost when every account is a miss?',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = { history: { or: 5, max: 1000 } };
    const { values, numbers } = readOptions(args, wholes, LOAD_OPTIONS);
    const { accounts } = readLoad(values, { ...MONTH_LOAD, accounts: 30_000 });
    const sized = { ...MONTH_LOAD, accounts, transactions: accounts, accountsInTurn: true };
    const load = readLoad(values, sized);
    const settings = readSettings(values.set);
    yield* measure(load, numbers.history, settings, context);
  },
};
