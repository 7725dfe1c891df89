/**
 * How many transactions a second go the whole way: posted over HTTP with idempotency keys, accepted,
 * streamed, folded into profiles, scored and stored, with generator, API, workers, Postgres and Redis
 * as processes of one machine and everything durable. The clock runs from the first request until the
 * last score is stored.
 */
import { integerOption, parseArguments } from '../src/kit/command/command.ts';
import { measureBare } from './bare/measure.ts';
import type { Bench, BenchContext, BenchReport, Ceiling, Settings } from './support/bench.ts';
import { copyCeiling } from './support/ceilings.ts';
import { readProfiles } from './support/cpu-profile.ts';
import {
  integerList,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  loadName,
  readLoad,
  readSettings,
} from './support/load.ts';
import {
  type LoadRun,
  memoryBreaches,
  memoryTable,
  runLoad,
  slowestWindow,
  warmUp,
} from './support/load-run.ts';
import { readMetrics } from './support/metrics.ts';
import { putModelInForce } from './support/model-in-force.ts';
import { NAMED_LOADS_USAGE, namedLoads } from './support/named-loads.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { readStored, type Stored } from './support/stored.ts';

const USAGE = `--load NAME[,NAME]  each a run of its own (six-corridors):
  ${NAMED_LOADS_USAGE}
--batch N[,N]      transactions a request, each a run of its own (1000,100,1)
--workers N        worker processes (1)
${LOAD_USAGE}
--node FLAGS       of the API and the workers (as bin/risk starts them)
--profile FOLDER   CPU profiles of the API and the workers; slows them down, and replaces the
                   bounds of their heaps
--with-model       has 200 full trees of depth 6 decide in every corridor
--without-bare     leaves out the bare pipeline, which takes the same load afterwards
By default 500,000 transactions; 200,000 in batches of 100, and singly over 64 connections; in each live load
20,000 before that are not measured.`;

type Options = {
  readonly loadName: string;
  readonly load: Load;
  readonly workers: number;
  readonly nodeFlags: string | undefined;
  readonly profileFolder: string | undefined;
  readonly settings: Settings;
  readonly withModel: boolean;
  readonly withBare: boolean;
};

function loadByDefault(load: Load, batch: number): Load {
  if (batch >= 1000) return { ...load, batch };
  if (batch > 1) return { ...load, batch, transactions: 200_000 };
  return { ...load, batch, transactions: 200_000, connections: 64 };
}

function readOptions(args: string[]): Options[] {
  const text = { type: 'string' } as const;
  const { values } = parseArguments(args, {
    ...LOAD_OPTIONS,
    load: { ...text, default: 'six-corridors' },
    batch: { ...text, default: '1000,100,1' },
    ...{ workers: text, profile: text, node: text },
    'with-model': { type: 'boolean', default: false },
    'without-bare': { type: 'boolean', default: false },
  });
  const batches = integerList('--batch', values.batch, 1, 1000);
  return namedLoads(values.load).flatMap(({ name, load }) =>
    batches.map((batch) => ({
      loadName: name,
      load: readLoad(values, loadByDefault(load, batch)),
      workers: integerOption('--workers', values.workers, { min: 1, max: 64 }, 1),
      nodeFlags: values.node,
      profileFolder: values.profile,
      settings: readSettings(values.set),
      withModel: values['with-model'],
      withBare: !values['without-bare'],
    })),
  );
}

type Measured = {
  readonly run: LoadRun;
  readonly stored: Stored;
  /**
   * Profiles that were rebuilt, repeats included: more than there are parties means that the transactions of a
   * party were far apart in the streams.
   */
  readonly rebuilt: number;
  readonly ceilings: readonly Ceiling[];
};

async function measure(
  { load }: Options,
  pipeline: Pipeline,
  context: BenchContext,
): Promise<Measured> {
  const { services, folder } = pipeline;
  await warmUp(pipeline, load, context);
  const run = await runLoad(pipeline, load, context);
  const stored = await readStored(services.database);
  const metrics = await Promise.all(
    pipeline.workers.map((one) => readMetrics(one, context.signal)),
  );
  const rebuilt = metrics.reduce((sum, one) => sum + one.sum('risk_profile_rebuilds_total'), 0);
  context.output.note('measuring the ceilings');
  const ceilings = [await copyCeiling(services.database, `${folder}/ceiling`)];
  return { run, stored, rebuilt, ceilings };
}

function findBreaches({ load }: Options, { run, stored }: Measured): string[] {
  const { posted, memory } = run;
  const mustBeZero = {
    lost: stored.lost,
    doubled: stored.doubled,
    'dead letters': stored.dead_letters,
    'accepted but not in Postgres': load.unmeasured + posted.accepted - stored.transactions,
    'posted but not accepted': load.transactions - posted.accepted - posted.duplicates,
  };
  const breaches = Object.entries(mustBeZero)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name}: ${count}`);
  return [...breaches, ...memoryBreaches(memory)];
}

function report(options: Options, pipeline: Pipeline, measured: Measured): BenchReport {
  const { load, workers, settings } = options;
  const { run, stored, rebuilt, ceilings } = measured;
  const { posted, progress, seconds } = run;
  const postedSeconds = (posted.lastAnswerMs - posted.firstRequestMs) / 1000;
  const perSecond = load.transactions / seconds;
  return {
    caseName: `${options.loadName}, ${loadName(load)}`,
    inputs: {
      ...{ ...load, workers, ...pipeline.services.settings },
      model: options.withModel ? '200 trees of depth 6' : 'none',
    },
    settings: {
      ...settings,
      ...(options.nodeFlags === undefined ? {} : { NODE_OPTIONS: options.nodeFlags }),
      ...(options.profileFolder === undefined ? {} : { cpu_profile: 'on' }),
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
      profiles_rebuilt: rebuilt,
      idle_share: run.idleShare,
      http_p50_ms: posted.latencyMs.p50,
      http_p95_ms: posted.latencyMs.p95,
      http_p99_ms: posted.latencyMs.p99,
      http_max_ms: posted.latencyMs.max,
      accepted_to_stored_p50_ms: stored.p50,
      accepted_to_stored_p95_ms: stored.p95,
      accepted_to_stored_p99_ms: stored.p99,
      accepted_to_stored_max_ms: stored.max,
    },
    ceilings,
    tables: [{ title: 'processor time by role', rows: run.cpu }, memoryTable(run.memory)],
    breaches: findBreaches(options, measured),
  };
}

async function bareCeiling(load: Load, context: BenchContext): Promise<Ceiling> {
  context.output.note('the bare pipeline, with the same load');
  const { perSecond } = await measureBare(load, context);
  return {
    name: 'the bare pipeline with the same load: no scoring, profiles or checks',
    perSecond,
  };
}

async function runOne(options: Options, context: BenchContext): Promise<BenchReport> {
  const { profileFolder } = options;
  let made: BenchReport;
  {
    await using pipeline = await startPipeline(
      {
        workers: options.workers,
        settings: options.settings,
        profileFolder,
        nodeFlags: options.nodeFlags?.split(' '),
        prepare: async ({ databaseUrl }) => {
          if (options.withModel) await putModelInForce(databaseUrl);
        },
      },
      context,
    );
    made = report(options, pipeline, await measure(options, pipeline, context));
  }
  // Processes write their profiles when they end.
  const profiles =
    profileFolder === undefined ? [] : await readProfiles(profileFolder, options.load.transactions);
  const bare = options.withBare ? [await bareCeiling(options.load, context)] : [];
  return {
    ...made,
    ceilings: [...made.ceilings, ...bare],
    tables: [...made.tables, ...profiles],
  };
}

export const bench: Bench = {
  name: 'end-to-end',
  question: 'How many transactions a second go from HTTP to a stored score?',
  usage: USAGE,
  run: async function* (args, context) {
    for (const options of readOptions(args)) yield await runOne(options, context);
  },
};
