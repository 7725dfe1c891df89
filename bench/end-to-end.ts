/**
 * How many transactions a second go the whole way: posted over HTTP with idempotency keys, accepted,
 * streamed, folded into profiles, scored and stored, with generator, API, workers, Postgres and Redis
 * as processes of one machine and everything durable. The clock runs from the first request until the
 * last score is stored.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { integerOption, parseArguments } from '../src/cli/command.ts';
import type { Bench, BenchContext, BenchReport, Ceiling } from './support/bench.ts';
import { copyCeiling, xaddCeiling } from './support/ceilings.ts';
import { cpuTable, readCpu } from './support/cpu-by-role.ts';
import { readProfiles } from './support/cpu-profile.ts';
import type { GeneratorResult } from './support/generator.ts';
import { startGenerator } from './support/generator-process.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { environmentOf, peakRssBytes } from './support/process-usage.ts';
import { type ScoredProgress, untilScored } from './support/scored-counter.ts';
import { readStored, type Stored } from './support/stored.ts';

const USAGE = `--batch N[,N]      transactions a request, each a run of its own (1000,100,1)
--transactions N   of each run (500000; 200000 in batches of 100; 50000 singly)
--accounts N       (20000)      --merchants N  (5000)
--corridors N      12 or 1 (12)
--days N           span of created_at, ending now (28)
--workers N        worker processes (1)
--connections N    of the generator (4; 32 singly)
--rate N           transactions a second; 0 is as fast as they are answered (0)
--seed TEXT        of the generated traffic (1)
--node FLAGS       of the API and the workers (as bin/risk starts them)
--profile FOLDER   CPU profiles of the API and the workers; slows them down
--set NAME=VALUE   a setting of the API and the workers; may be repeated`;

type Options = {
  readonly batch: number;
  readonly transactions: number;
  readonly accounts: number;
  readonly merchants: number;
  readonly corridors: number;
  readonly days: number;
  readonly workers: number;
  readonly connections: number;
  readonly rate: number;
  readonly seed: string;
  readonly nodeFlags: string | undefined;
  readonly profileFolder: string | undefined;
  readonly settings: Readonly<Record<string, string>>;
};

const MANY = 100_000_000;
const MEBIBYTE = 2 ** 20;
/** E1 and this issue: no Node process and no Redis above it. */
const PROCESS_BYTES_MAX = 256 * MEBIBYTE;
const WINDOW_MS = 5000;

function transactionsByDefault(batch: number): number {
  if (batch >= 1000) return 500_000;
  return batch > 1 ? 200_000 : 50_000;
}

function readOptions(args: string[]): Options[] {
  const text = { type: 'string' } as const;
  const { values } = parseArguments(args, {
    ...{ batch: { ...text, default: '1000,100,1' }, seed: { ...text, default: '1' } },
    ...{ transactions: text, accounts: text, merchants: text, corridors: text, days: text },
    ...{ workers: text, connections: text, rate: text, profile: text },
    node: text,
    set: { ...text, multiple: true, default: [] as string[] },
  });
  const integer = (
    name: keyof typeof values & string,
    min: number,
    max: number,
    byDefault: number,
  ) => integerOption(`--${name}`, values[name] as string | undefined, { min, max }, byDefault);
  const settings = Object.fromEntries(
    values.set.map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)]),
  );
  return values.batch.split(',').map((given) => {
    const batch = integerOption('--batch', given, { min: 1, max: 1000 }, 1000);
    return {
      batch,
      transactions: integer('transactions', 1, MANY, transactionsByDefault(batch)),
      accounts: integer('accounts', 1, 10_000_000, 20_000),
      merchants: integer('merchants', 16, 10_000_000, 5000),
      corridors: integer('corridors', 1, 12, 12),
      days: integer('days', 1, 365, 28),
      workers: integer('workers', 1, 64, 1),
      connections: integer('connections', 1, 1000, batch === 1 ? 32 : 4),
      rate: integer('rate', 0, MANY, 0),
      seed: values.seed,
      nodeFlags: values.node,
      profileFolder: values.profile,
      // A worker's batches are as large as the client's, so that one write carries as many.
      settings: { RISK_BATCH_ENTRIES: batch >= 1000 ? '1000' : '500', ...settings },
    };
  });
}

type Measured = {
  readonly posted: GeneratorResult;
  readonly progress: ScoredProgress;
  readonly stored: Stored;
  readonly ceilings: readonly Ceiling[];
  readonly redisPeakBytes: number;
  readonly cpu: ReturnType<typeof cpuTable>;
  readonly memory: readonly { process: string; bytes: number }[];
};

async function measure(
  options: Options,
  pipeline: Pipeline,
  { output, signal }: BenchContext,
): Promise<Measured> {
  const { services, api, workers } = pipeline;
  output.note('preparing requests');
  using generator = await startGenerator(
    {
      file: join(pipeline.folder, 'requests'),
      host: '127.0.0.1',
      port: pipeline.apiPort,
      apiKey: pipeline.apiKey,
      batch: options.batch,
      corridor: options.corridors === 1 ? 'US-US' : undefined,
      connections: options.connections,
      rate: options.rate,
      traffic: {
        ...{ transactions: options.transactions, accounts: options.accounts },
        ...{ merchants: options.merchants, days: options.days, seed: options.seed },
        endMs: Date.now(),
        fraudRate: 0.01,
      },
    },
    signal,
  );
  output.note(`posting ${generator.requests} requests`);
  const before = readCpu(pipeline, generator);
  const [posted, progress] = await Promise.all([
    generator.go(),
    untilScored(workers, options.transactions, signal),
  ]);
  const after = readCpu(pipeline, generator);
  const memory = [api, ...workers, { name: 'generator', pid: generator.pid }].map(
    ({ name, pid }) => ({ process: name, bytes: peakRssBytes(pid) }),
  );
  const redisPeak = /used_memory_peak:(\d+)/.exec(await services.redis.info('memory'))?.[1];
  const stored = await readStored(services.database);
  output.note('measuring the ceilings');
  const ceilings = [
    await copyCeiling(services.database, join(pipeline.folder, 'ceiling')),
    await xaddCeiling(services.database, services.redis),
  ];
  const seconds = (progress.finishedMs - posted.firstRequestMs) / 1000;
  const span = { seconds, transactions: options.transactions, cores: availableParallelism() };
  return {
    ...{ posted, progress, stored, ceilings, memory },
    redisPeakBytes: Number(redisPeak ?? 0),
    cpu: cpuTable(before, after, span),
  };
}

/** Fewest scored a second over any whole window while there was work. */
function slowestWindow({ samples }: ScoredProgress): number {
  let slowest = Number.POSITIVE_INFINITY;
  for (const [index, from] of samples.entries()) {
    const to = samples.slice(index).find(({ atMs }) => atMs - from.atMs >= WINDOW_MS);
    if (to === undefined || from.scored === 0) continue;
    slowest = Math.min(slowest, ((to.scored - from.scored) * 1000) / (to.atMs - from.atMs));
  }
  return Number.isFinite(slowest) ? slowest : Number.NaN;
}

function findBreaches(options: Options, measured: Measured): string[] {
  const { stored, posted, memory, redisPeakBytes } = measured;
  const mustBeZero = {
    lost: stored.lost,
    doubled: stored.doubled,
    'dead letters': stored.dead_letters,
    'accepted but not in Postgres': posted.accepted - stored.transactions,
    'posted but not accepted': options.transactions - posted.accepted - posted.duplicates,
  };
  const breaches = Object.entries(mustBeZero)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name}: ${count}`);
  for (const { process, bytes } of [...memory, { process: 'redis', bytes: redisPeakBytes }]) {
    if (bytes > PROCESS_BYTES_MAX && process !== 'generator') {
      breaches.push(`${process} peaked at ${(bytes / MEBIBYTE).toFixed(0)} MiB, above 256`);
    }
  }
  return breaches;
}

function report(options: Options, pipeline: Pipeline, measured: Measured): BenchReport {
  const { posted, progress, stored, memory, redisPeakBytes } = measured;
  const { settings, profileFolder: _profileFolder, nodeFlags: _nodeFlags, ...sizes } = options;
  const seconds = (progress.finishedMs - posted.firstRequestMs) / 1000;
  const postedSeconds = (posted.lastAnswerMs - posted.firstRequestMs) / 1000;
  const perSecond = options.transactions / seconds;
  const inMebibytes = (bytes: number) => (bytes / MEBIBYTE).toFixed(0);
  return {
    caseName: options.batch === 1 ? 'single posts' : `batches of ${options.batch}`,
    inputs: {
      ...{ ...sizes, ...settings, ...pipeline.services.settings },
      NODE_OPTIONS: environmentOf(pipeline.api.pid, 'NODE_OPTIONS'),
    },
    versions: pipeline.services.versions,
    perSecond,
    figures: {
      end_to_end_per_second: perSecond,
      slowest_5s_per_second: slowestWindow(progress),
      accepted_per_second: posted.accepted / postedSeconds,
      seconds,
      ...{ accepted: posted.accepted, duplicates: posted.duplicates, resent: posted.resent },
      ...{ scored: stored.scores, lost: stored.lost, doubled: stored.doubled },
      http_p50_ms: posted.latencyMs.p50,
      http_p95_ms: posted.latencyMs.p95,
      http_p99_ms: posted.latencyMs.p99,
      http_max_ms: posted.latencyMs.max,
      accepted_to_stored_p50_ms: stored.p50,
      accepted_to_stored_p95_ms: stored.p95,
      accepted_to_stored_p99_ms: stored.p99,
      accepted_to_stored_max_ms: stored.max,
    },
    ceilings: measured.ceilings,
    tables: [
      { title: 'processor time by role', rows: measured.cpu },
      {
        title: 'peak memory',
        rows: [
          ...memory.map(({ process, bytes }) => ({ process, mebibytes: inMebibytes(bytes) })),
          { process: 'redis (used_memory_peak)', mebibytes: inMebibytes(redisPeakBytes) },
        ],
      },
    ],
    breaches: findBreaches(options, measured),
  };
}

async function runOne(options: Options, context: BenchContext): Promise<BenchReport> {
  const { log, signal, output } = context;
  const { profileFolder } = options;
  let made: BenchReport;
  {
    await using pipeline = await startPipeline({
      ...{ workers: options.workers, environment: options.settings, profileFolder, log, signal },
      nodeFlags: options.nodeFlags?.split(' '),
      onProgress: (text) => output.note(text),
    });
    made = report(options, pipeline, await measure(options, pipeline, context));
  }
  // Profiles are written when their processes have ended.
  const profiles =
    profileFolder === undefined ? [] : await readProfiles(profileFolder, options.transactions);
  return { ...made, tables: [...made.tables, ...profiles] };
}

export const bench: Bench = {
  name: 'end-to-end',
  question: 'How many transactions a second go from HTTP to a stored score?',
  usage: USAGE,
  run: async function* (args, context) {
    for (const options of readOptions(args)) yield await runOne(options, context);
  },
};
