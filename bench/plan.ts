/**
 * Does a plan foretell what loads take? The engine is calibrated under one load, as an operator does it; then three other
 * rates are planned, and run.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readConfig } from '../src/kit/config/config.ts';
import { countConnections } from '../src/kit/database/open-database.ts';
import {
  type Cost,
  calibrationSchema,
  fleetFor,
  planCapacity,
} from '../src/rooms/operate/plan/plan.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import {
  integerList,
  LIVE_LOAD,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  readLoad,
  readSettings,
} from './support/load.ts';
import { runLoad, warmUp } from './support/load-run.ts';
import { readOptions, TEXT } from './support/options.ts';
import { API_KEY, type Pipeline, startPipeline } from './support/pipeline.ts';
import { LAUNCHER } from './support/services.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--calibrated N     transactions a second under which the engine is calibrated (1000)
--rates N,N,N      that are planned and run (1000,2000,4000); a lower one than the calibrated costs more each, as batches are smaller
--seconds N        of each (60), after as many that are not counted
--batch N          transactions a request (100)
--capacity N[,N]   also calibrates under each of these rates, and prints what risk plan makes of them
${LOAD_USAGE}
--transactions and --rate are what the rates make them.`;

/** A plan below what is seen lacks machines. One above it is dear: batches grow with the rate, so a transaction costs less. */
const RATIO = { min: 0.8, max: 2 };
const ROLES = ['api', 'workers', 'postgres', 'redis'] as const;

/** A calibration ends within a load that goes on for so much longer. */
const AROUND_SECONDS = 15;

const fileOf = ({ folder }: Pipeline) => join(folder, 'calibration.json');

/** Runs a command of the engine as an operator does. @returns the output */
async function command({ services, api }: Pipeline, args: readonly string[], signal: AbortSignal) {
  const environment = {
    ...{ PATH: process.env['PATH'], HOME: process.env['HOME'], RISK_API_KEY: API_KEY },
    ...{ DATABASE_URL: services.databaseUrl, REDIS_URL: services.redisUrl, RISK_URL: api.url },
  };
  const options = { env: environment, signal };
  return (await promisify(execFile)('/bin/sh', [LAUNCHER, ...args], options)).stdout;
}

/** Runs the load, and `risk calibrate` beside the load for `seconds`. */
async function runCalibrated(
  pipeline: Pipeline,
  load: Load,
  seconds: number,
  context: BenchContext,
) {
  const file = fileOf(pipeline);
  const args = ['calibrate', '--seconds', String(seconds), '--file', file];
  const own = { ...load, transactions: load.rate * (seconds + AROUND_SECONDS) };
  const [run] = await Promise.all([
    runLoad(pipeline, own, context),
    command(pipeline, args, context.signal),
  ]);
  return { run, measured: calibrationSchema.parse(JSON.parse(await readFile(file, 'utf8'))) };
}

type Planned = {
  readonly api_processes: number;
  readonly worker_processes: number;
  readonly connections: number;
  readonly costs: readonly Pick<Cost, 'tier' | 'usdAMonth' | 'usdAMillion'>[];
};

/** Runs `risk plan` for a rate, calibrated under that rate; dollars are of the cheapest tier that carries the rate. */
async function planFor(pipeline: Pipeline, load: Load, seconds: number, context: BenchContext) {
  await runCalibrated(pipeline, load, seconds, context);
  const args = ['plan', '--tps', String(load.rate), '--calibration', fileOf(pipeline), '--json'];
  const plan: Planned = JSON.parse(await command(pipeline, args, context.signal));
  const [cost] = plan.costs
    .filter(({ usdAMonth }) => usdAMonth !== null)
    .toSorted((a, b) => Number(a.usdAMonth) - Number(b.usdAMonth));
  return {
    rate: load.rate,
    api: plan.api_processes,
    workers: plan.worker_processes,
    connections: plan.connections,
    tier: cost?.tier ?? 'none',
    usd_a_month: cost?.usdAMonth?.toFixed(0) ?? '',
    usd_a_million: cost?.usdAMillion?.toFixed(2) ?? '',
  };
}

type Rates = {
  readonly first: number;
  readonly rates: readonly number[];
  readonly capacity: readonly number[];
  readonly seconds: number;
};

async function measure(
  load: Load,
  { first, rates, seconds, capacity }: Rates,
  settings: Settings,
  context: BenchContext,
): Promise<BenchReport> {
  await using pipeline = await startPipeline({ workers: 1, settings }, context);
  await warmUp(pipeline, load, context);
  const at = (rate: number) => ({ ...load, rate, seed: `${load.seed}-${rate}` });
  // Autovacuum begins a minute after the tables have rows, and is part of what Postgres costs.
  await runLoad(
    pipeline,
    { ...at(first), seed: `${load.seed}-before`, transactions: first * seconds },
    context,
  );
  const { measured } = await runCalibrated(pipeline, at(first), seconds, context);
  const read = readConfig({ ...settings });
  if (!('config' in read)) throw new Error(read.problems.join('; '));
  const each = countConnections(read.config);
  const rows = [];
  for (const rate of rates) {
    const run = await runLoad(pipeline, { ...at(rate), transactions: rate * seconds }, context);
    const plan = planCapacity(
      {
        ...{ tps: rate, growth: 0, months: 0, seasonal: 1, interaction: 1, safety: 1, mean: 1 },
        ...{ accounts: load.accounts, merchants: load.merchants },
      },
      measured,
      1,
    );
    const planned = { ...plan.cores, workers: plan.cores.worker };
    for (const role of ROLES) {
      const used = Number(run.cpu.find((row) => row.role === role)?.cpu_seconds ?? Number.NaN);
      const [foretold, seen] = [planned[role] ?? Number.NaN, used / run.seconds];
      rows.push({ rate, role, planned: foretold, seen, ratio: foretold / seen });
    }
    const opened = await pipeline.services.database.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity where application_name ~ '^risk-(api|worker)'`,
    );
    const { connections } = fleetFor(plan, { api: 1, worker: 1 }, each);
    const count = opened.rows[0]?.count ?? 0;
    rows.push({
      rate,
      role: 'connections',
      planned: connections,
      seen: count,
      ratio: connections / count,
    });
  }
  const fleets: Awaited<ReturnType<typeof planFor>>[] = [];
  for (const rate of capacity) {
    const own = { ...at(rate), seed: `${load.seed}-capacity-${rate}` };
    fleets.push(await planFor(pipeline, own, seconds, context));
  }
  const stored = await readStored(pipeline.services.database);
  const cores = rows.filter(({ role }) => role !== 'connections');
  const off = (ratio: number) => Math.max(ratio, 1 / ratio);
  return {
    caseName: '',
    inputs: { ...load, calibrated_at: first, rates: rates.join(), seconds },
    settings,
    versions: pipeline.services.versions,
    perSecond: Math.max(...rates),
    figures: {
      api_us: measured.api_us,
      worker_us: measured.worker_us,
      postgres_us: measured.postgres_us ?? Number.NaN,
      redis_us: measured.redis_us ?? Number.NaN,
      postgres_bytes_per_transaction: measured.postgres_bytes_per_transaction,
      redis_bytes_per_account: measured.redis_bytes_per_account ?? Number.NaN,
      redis_bytes_per_merchant: measured.redis_bytes_per_merchant ?? Number.NaN,
      worst_ratio: Math.max(...cores.map(({ ratio }) => off(ratio))),
      ...{ lost: stored.lost, doubled: stored.doubled },
    },
    ceilings: [],
    tables: [
      {
        title: 'cores and connections, planned and seen',
        rows: rows.map((row) => ({
          ...row,
          planned: row.planned.toFixed(3),
          seen: row.seen.toFixed(3),
          ratio: row.ratio.toFixed(2),
        })),
      },
      { title: 'capacity', rows: fleets },
    ],
    breaches: [
      ...storedBreaches(stored),
      ...cores
        .filter(({ ratio }) => ratio < RATIO.min || ratio > RATIO.max)
        .map(
          ({ rate, role, ratio }) =>
            `${role} at ${rate} a second: ${ratio.toFixed(2)} of it was planned`,
        ),
      ...rows
        .filter(({ role, planned, seen }) => role === 'connections' && seen > planned)
        .map(({ rate, seen }) => `${seen} connections at ${rate} a second are more than planned`),
    ],
  };
}

export const bench: Bench = {
  name: 'plan',
  question: 'Does a plan foretell what loads take?',
  onlyByName: 'takes seven minutes of loads at fixed rates',
  usage: USAGE,
  run: async function* (args, context) {
    const { values, numbers } = readOptions(
      args,
      {
        calibrated: { or: 1000, max: 100_000 },
        rates: { or: [1000, 2000, 4000], max: 100_000 },
        seconds: { or: 60, max: 3600 },
        batch: { or: 100, max: 1000 },
      },
      { ...LOAD_OPTIONS, capacity: TEXT },
    );
    const { batch, calibrated: first, rates, seconds } = numbers;
    const asked = values.capacity;
    const capacity = asked === undefined ? [] : integerList('--capacity', asked, 1, 100_000);
    const load = readLoad(values, { ...LIVE_LOAD, unmeasured: 20_000, connections: 8 });
    const settings = readSettings(values.set);
    yield await measure({ ...load, batch }, { first, rates, seconds, capacity }, settings, context);
  },
};
