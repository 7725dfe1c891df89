/**
 * How fast a backlog is scored by 1, 2 and 4 workers: the API fills the streams while no worker runs, then
 * they start together. The clock runs from the moment all are ready; what they scored before is left out.
 */
import { availableParallelism } from 'node:os';
import { DEFAULT_SETTINGS } from '../src/core/domain/corridor.ts';
import { changeCorridor } from '../src/core/store/corridors/settings.ts';
import { UsageError } from '../src/kit/command/command.ts';
import { CORRIDORS } from '../src/tools/simulate/geography.ts';
import type { Bench, BenchContext, BenchReport, Ceiling, Settings } from './support/bench.ts';
import {
  DAY_MS,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  lastMidnightMs,
  MONTH_LOAD,
  readLoad,
  readSettings,
  startLoad,
} from './support/load.ts';
import {
  inMebibytes,
  memoryBreaches,
  memoryTable,
  readMemory,
  redisBytes,
} from './support/load-run.ts';
import { readOptions } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { treeCpuSeconds } from './support/process-usage.ts';
import { readScored, untilScored } from './support/scored-counter.ts';
import { openMarketPool } from './support/sealed-scores.ts';
import type { Services } from './support/services.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--workers N[,N]    worker processes, each a run of its own (1,2,4)
--shards N         streams of the first corridor (1): with --corridors 1 and few merchants their transactions are in all of them
--behind DAYS      half of the backlog is a corridor's whose transactions are so many days older than another's of the same merchants
${LOAD_USAGE}`;

/** The last share of a backlog, when some workers have nothing left. */
const TAIL_SHARE = 0.05;

type Backlog = { readonly load: Load; readonly behind: number; readonly shards: number };

type Drained = {
  readonly seconds: number;
  /** How long the last share of the backlog took. */
  readonly tailSeconds: number;
  readonly left: number;
  readonly scoredBefore: number;
  readonly cpuSeconds: number;
  /** Memory of Redis with the whole backlog in it. */
  readonly fullBytes: number;
};

/** The whole load; or two corridors' halves of it, the one that is days behind first. */
function partsOf(load: Load, behind: number): Load[] {
  if (behind === 0) return [load];
  const { seed, endMs = lastMidnightMs() } = load;
  return [behind, 0].map((days, part) => ({
    ...{ ...load, transactions: load.transactions / 2, days: 1, habits: seed },
    ...{ corridor: CORRIDORS[part]?.name as string, endMs: endMs - days * DAY_MS },
    seed: `${seed}-${part}`,
  }));
}

async function drain(
  pipeline: Pipeline,
  { load, behind }: Backlog,
  workers: number,
  { signal, output }: BenchContext,
): Promise<Drained> {
  const { services } = pipeline;
  output.note(`filling the streams with ${load.transactions} transactions`);
  for (const part of partsOf(load, behind)) {
    using generator = await startLoad(pipeline, part, signal);
    await generator.go();
  }
  const fullBytes = await redisBytes(pipeline, 'used_memory');
  output.note(`draining with ${workers}`);
  const started = await pipeline.startWorkers(workers);
  const startedMs = Date.now();
  const scoredBefore = await readScored(started, signal);
  const pids = [services.postgresPid, services.redisPid, ...started.map(({ pid }) => pid)];
  const cpu = () => pids.reduce((sum, pid) => sum + treeCpuSeconds(pid), 0);
  const cpuBefore = cpu();
  const left = load.transactions - scoredBefore;
  if (left === 0) {
    throw new UsageError('all were scored before the last worker was ready: more --transactions');
  }
  const progress = await untilScored(started, { scoredBefore, transactions: () => left }, signal);
  const { finishedMs, samples } = progress;
  const tail = samples.find(({ scored }) => scored >= left * (1 - TAIL_SHARE));
  return {
    seconds: (finishedMs - startedMs) / 1000,
    tailSeconds: (finishedMs - (tail?.atMs ?? finishedMs)) / 1000,
    ...{ left, scoredBefore, fullBytes, cpuSeconds: cpu() - cpuBefore },
  };
}

/** Divides the corridor before any process reads how many streams it has. */
async function setShards({ databaseUrl }: Services, shards: number): Promise<void> {
  await using database = openMarketPool(databaseUrl);
  await database.transaction((query) =>
    changeCorridor(query, CORRIDORS[0].name, ({ set }) =>
      set({ ...DEFAULT_SETTINGS, shards }, 'bench'),
    ),
  );
}

async function bareCeiling(
  backlog: Backlog,
  workers: number,
  context: BenchContext,
): Promise<Ceiling> {
  const { output } = context;
  output.note('the bare pipeline, with the same backlog');
  await using pipeline = await startPipeline(
    { workers: 0, settings: {}, program: 'bare' },
    context,
  );
  const { left, seconds } = await drain(pipeline, backlog, workers, context);
  return { name: 'as many bare workers with the same backlog', perSecond: left / seconds };
}

async function measure(
  backlog: Backlog,
  workers: number,
  settings: Settings,
  context: BenchContext,
): Promise<BenchReport> {
  const { load, behind, shards } = backlog;
  const prepare = (services: Services) => setShards(services, shards);
  await using pipeline = await startPipeline({ workers: 0, settings, prepare }, context);
  const { services } = pipeline;
  const drained = await drain(pipeline, backlog, workers, context);
  const { seconds, tailSeconds, left, scoredBefore, cpuSeconds, fullBytes } = drained;
  const memory = await readMemory(pipeline);
  const { lost, doubled, scores } = await readStored(services.database);
  return {
    caseName: workers === 1 ? '1 worker' : `${workers} workers`,
    inputs: { ...load, behind, shards, workers, ...services.settings },
    settings,
    versions: services.versions,
    perSecond: left / seconds,
    figures: {
      drained_per_second: left / seconds,
      ...{ seconds, scored_before_all_were_ready: scoredBefore, scored: scores, lost, doubled },
      last_twentieth_seconds: tailSeconds,
      cpu_us_per_transaction: (cpuSeconds * 1e6) / left,
      cores_busy: cpuSeconds / seconds,
      cores: availableParallelism(),
      redis_full_mebibytes: Number(inMebibytes(fullBytes)),
    },
    ceilings: [await bareCeiling(backlog, workers, context)],
    tables: [memoryTable(memory)],
    breaches: [...storedBreaches({ lost, doubled }), ...memoryBreaches(memory)],
  };
}

export const bench: Bench = {
  name: 'drain',
  question: 'How fast do 1, 2 and 4 workers score a backlog?',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      workers: { or: [1, 2, 4], max: 64 },
      behind: { or: 0, min: 0, max: 365 },
      shards: { or: 1, min: 1, max: 16 },
    };
    const { values, numbers } = readOptions(args, wholes, LOAD_OPTIONS);
    const load = readLoad(values, MONTH_LOAD);
    for (const workers of numbers.workers) {
      yield await measure(
        { load, behind: numbers.behind, shards: numbers.shards },
        workers,
        readSettings(values.set),
        context,
      );
    }
  },
};
