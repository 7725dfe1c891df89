/**
 * How many transactions a second go the whole way: posted over HTTP with idempotency keys, accepted,
 * streamed, folded into profiles, scored and stored, with generator, API, workers, Postgres and Redis
 * as processes of one machine and everything durable. The clock runs from the first request until the
 * last score is stored. By default the load is a production day.
 */
import { integerOption, parseArguments } from '../src/kit/command/command.ts';
import { measureBare } from './bare/measure.ts';
import type { Bench, BenchContext, BenchReport, Ceiling, Settings } from './support/bench.ts';
import { copyCeiling } from './support/ceilings.ts';
import { openCgroups } from './support/cgroup.ts';
import { readProfiles } from './support/cpu-profile.ts';
import { putListsInForce } from './support/lists-in-force.ts';
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
import { putModelInForce } from './support/model-in-force.ts';
import { dayLoad, NAMED_LOADS_USAGE, namedLoads } from './support/named-loads.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { wholeOf, windowTable } from './support/run-windows.ts';
import {
  flaggedShare,
  readScoringCounts,
  type ScoringCounts,
  tierTable,
} from './support/scoring-counts.ts';
import { readStored, type Stored } from './support/stored.ts';

const USAGE = `--load NAME[,NAME]  each a run of its own (day):
  ${NAMED_LOADS_USAGE}
--seconds N        ends posting after so long; a day is replayed for 600 seconds
--batch N[,N]      transactions a request, each a run of its own (1000,100,1); a day has its own
--workers N        worker processes (1)
--capped           gives the API 256 MB and each worker 384, and half a core, by Linux' control groups, which takes
                   root; exits 78 where the machine lacks what that takes. Leaves out the bare pipeline
--capped-too       runs each load again, capped
${LOAD_USAGE}
--node FLAGS       of the API and the workers (as bin/risk starts them)
--profile FOLDER   CPU profiles of the API and the workers; slows them down, and replaces the
                   bounds of their heaps
--with-model       has 200 full trees of depth 6 decide in every corridor
--with-lists       has a rule set in force that asks two lists of a million accounts
--without-bare     leaves out the bare pipeline, which takes the same load afterwards
By default 500,000 transactions of a load that is no day; 200,000 in batches of 100, and singly over 64 connections. Before
that 20,000 of each live load, and 250,000 of a day, are not measured.`;

/** A role as it is deployed at its smallest. */
const CAPS = { api: { cores: 0.5, mebibytes: 256 }, worker: { cores: 0.5, mebibytes: 384 } };
/** A run of so many seconds has ten parts. */
const PARTS = 10;
const PART_MS = 5000;
/** Seconds: the least that Postgres takes, and its default; the cluster of a bare clone waits for 900. */
const CHECKPOINT_TIMEOUT = { min: 30, max: 300 } as const;

type Options = {
  readonly loadName: string;
  readonly load: Load;
  readonly workers: number;
  readonly nodeFlags: string | undefined;
  readonly profileFolder: string | undefined;
  readonly settings: Settings;
  readonly isCapped: boolean;
  readonly withModel: boolean;
  readonly withLists: boolean;
  readonly withBare: boolean;
};

function loadsByDefault(load: Load, batches: readonly number[], seconds?: number): Load[] {
  if (load.day === true) return [dayLoad(seconds)];
  const ended = seconds === undefined ? load : { ...load, seconds };
  return batches.map((batch) => loadByDefault(ended, batch));
}

function loadByDefault(load: Load, batch: number): Load {
  if (batch >= 1000) return { ...load, batch };
  if (batch > 1) return { ...load, batch, transactions: 200_000 };
  return { ...load, batch, transactions: 200_000, connections: 64 };
}

function readOptions(args: string[]): Options[] {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArguments(args, {
    ...LOAD_OPTIONS,
    load: { ...text, default: 'day' },
    batch: { ...text, default: '1000,100,1' },
    ...{ workers: text, profile: text, node: text, seconds: text },
    ...{ capped: flag, 'capped-too': flag },
    ...{ 'with-model': flag, 'with-lists': flag, 'without-bare': flag },
  });
  const batches = integerList('--batch', values.batch, 1, 1000);
  const seconds = integerOption('--seconds', values.seconds, { min: 1, max: 86_400 }, undefined);
  const caps = [
    ...(values.capped ? [] : [false]),
    ...(values.capped || values['capped-too'] ? [true] : []),
  ];
  const loads = namedLoads(values.load).flatMap(({ name, load }) =>
    loadsByDefault(load, batches, seconds).map((one) => ({ name, one })),
  );
  return caps.flatMap((isCapped) =>
    loads.map(({ name, one }) => ({
      loadName: name,
      load: readLoad(values, one),
      workers: integerOption('--workers', values.workers, { min: 1, max: 64 }, 1),
      nodeFlags: values.node,
      profileFolder: values.profile,
      settings: readSettings(values.set),
      isCapped,
      withModel: values['with-model'],
      withLists: values['with-lists'],
      // The bare pipeline has no caps, and would be compared with an engine that has.
      withBare: !(values['without-bare'] || isCapped),
    })),
  );
}

type Measured = {
  readonly run: LoadRun;
  readonly stored: Stored;
  readonly counts: { readonly before: ScoringCounts; readonly after: ScoringCounts };
  readonly ceilings: readonly Ceiling[];
};

async function measure(
  { load }: Options,
  pipeline: Pipeline,
  context: BenchContext,
): Promise<Measured> {
  const { services, folder } = pipeline;
  await warmUp(pipeline, load, context);
  const readCounts = () => readScoringCounts(pipeline.workers, context.signal);
  const before = await readCounts();
  const partMs = load.seconds === undefined ? PART_MS : (load.seconds * 1000) / PARTS;
  const run = await runLoad(pipeline, load, context, undefined, partMs);
  const counts = { before, after: await readCounts() };
  const stored = await readStored(services.database);
  context.output.note('measuring the ceilings');
  const ceilings = [await copyCeiling(services.database, `${folder}/ceiling`)];
  return { run, stored, counts, ceilings };
}

function findBreaches({ load }: Options, { run, stored }: Measured): string[] {
  const { posted, memory } = run;
  const posts = posted.accepted + posted.duplicates;
  // A run that ends by its time leaves requests unsent.
  const wanted = load.seconds === undefined ? load.transactions : posts;
  const mustBeZero = {
    lost: stored.lost,
    doubled: stored.doubled,
    'dead letters': stored.dead_letters,
    'accepted but not in Postgres': load.unmeasured + posted.accepted - stored.transactions,
    'posted but not accepted': wanted - posts,
  };
  const breaches = Object.entries(mustBeZero)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name}: ${count}`);
  const ranOut = load.seconds !== undefined && posts === load.transactions;
  return [
    ...breaches,
    ...(ranOut
      ? [`all ${posts} were sent before the time was over: give more --transactions`]
      : []),
    ...memoryBreaches(memory),
  ];
}

function figuresOf({ run, stored, counts }: Measured): BenchReport['figures'] {
  const { posted, progress, seconds, transactions } = run;
  const { before, after } = counts;
  const postedSeconds = (posted.lastAnswerMs - posted.firstRequestMs) / 1000;
  const whole = wholeOf(run.windows);
  return {
    end_to_end_per_second: transactions / seconds,
    slowest_5s_per_second: slowestWindow(progress),
    accepted_per_second: posted.accepted / postedSeconds,
    seconds,
    cpu_us_per_transaction: (run.cpuSeconds * 1e6) / transactions,
    ...{ accepted: posted.accepted, duplicates: posted.duplicates, resent: posted.resent },
    ...{ scored: stored.scores, lost: stored.lost, doubled: stored.doubled },
    flagged_percent: 100 * flaggedShare(before, after),
    checkpoints_begun: whole.checkpoints_begun,
    checkpoints_done: whole.checkpoints_done,
    // More than there are parties means that the transactions of a party were far apart in the streams.
    profiles_rebuilt: after.rebuilt - before.rebuilt,
    idle_share: run.idleShare,
    http_p50_ms: posted.latencyMs.p50,
    http_p95_ms: posted.latencyMs.p95,
    http_p99_ms: posted.latencyMs.p99,
    http_max_ms: posted.latencyMs.max,
    accepted_to_stored_p50_ms: stored.p50,
    accepted_to_stored_p95_ms: stored.p95,
    accepted_to_stored_p99_ms: stored.p99,
    accepted_to_stored_max_ms: stored.max,
  };
}

function report(options: Options, pipeline: Pipeline, measured: Measured): BenchReport {
  const { load, workers, settings, isCapped } = options;
  const { run, counts, ceilings } = measured;
  return {
    caseName: [options.loadName, loadName(load), ...(isCapped ? ['capped'] : [])].join(', '),
    inputs: {
      ...{ ...load, workers, ...pipeline.services.settings },
      model: options.withModel ? '200 trees of depth 6' : 'none',
      lists: options.withLists ? 'two of a million accounts' : 'none',
    },
    settings: {
      ...settings,
      ...(options.nodeFlags === undefined ? {} : { NODE_OPTIONS: options.nodeFlags }),
      ...(options.profileFolder === undefined ? {} : { cpu_profile: 'on' }),
    },
    versions: pipeline.services.versions,
    perSecond: run.transactions / run.seconds,
    figures: figuresOf(measured),
    ceilings,
    tables: [
      { title: 'processor time by role', rows: run.cpu },
      windowTable(run.windows),
      tierTable(counts.before, counts.after),
      memoryTable(run.memory),
      pipeline.capTable(),
    ],
    breaches: findBreaches(options, measured),
  };
}

/** A run that ends by its time has checkpoints. */
function postgresSettingsOf({ seconds }: Load): Settings {
  if (seconds === undefined) return {};
  const { min, max } = CHECKPOINT_TIMEOUT;
  return { checkpoint_timeout: `${Math.max(min, Math.min(max, Math.floor(seconds / 2)))}s` };
}

async function bareCeiling(load: Load, context: BenchContext): Promise<Ceiling> {
  context.output.note('the bare pipeline, with the same load');
  const { perSecond } = await measureBare(load, context, postgresSettingsOf(load));
  return {
    name: 'the bare pipeline with the same load: no scoring, profiles or checks',
    perSecond,
  };
}

async function runOne(options: Options, context: BenchContext): Promise<BenchReport> {
  const { load, profileFolder } = options;
  let made: BenchReport;
  let measured: Measured;
  {
    await using pipeline = await startPipeline(
      {
        workers: options.workers,
        settings: options.settings,
        profileFolder,
        nodeFlags: options.nodeFlags?.split(' '),
        caps: options.isCapped ? CAPS : undefined,
        postgresSettings: postgresSettingsOf(load),
        prepare: async (services) => {
          if (options.withModel) await putModelInForce(services.databaseUrl);
          if (options.withLists) await putListsInForce(services);
        },
      },
      context,
    );
    measured = await measure(options, pipeline, context);
    made = report(options, pipeline, measured);
  }
  // Processes write their profiles when they end.
  const profiles =
    profileFolder === undefined ? [] : await readProfiles(profileFolder, measured.run.transactions);
  const bare = options.withBare ? [await bareCeiling(load, context)] : [];
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
    const runs = readOptions(args);
    // A machine that cannot cap says so before the first run.
    if (runs.some(({ isCapped }) => isCapped)) await (await openCgroups())[Symbol.asyncDispose]();
    for (const options of runs) yield await runOne(options, context);
  },
};
