/**
 * The cost of the same work done the usual way. BullMQ, pg-boss, Graphile Worker and a service without a
 * queue (bench/rivals) get the same requests and store the same scores, each as it is usually written and
 * batched at its best. All in one run and in turn, a fresh Postgres and Redis each time, so that all of them
 * meet the same disturbances of the machine. Rivals score with the engine's pure core and an empty history:
 * they keep no profiles, so their scores have the same size and less value.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseArguments } from '../src/kit/command/command.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import {
  integerList,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  readLoad,
  requestsOf,
} from './support/load.ts';
import { runLoad } from './support/load-run.ts';
import { SIX_CORRIDORS } from './support/named-loads.ts';
import { API_KEY, startPipeline } from './support/pipeline.ts';
import { type PreparedRequests, prepareRequests } from './support/requests.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { spreadOf } from './support/spread.ts';
import { readStored } from './support/stored.ts';

const USAGE = `--rounds N         each system once a round, in turn (5)
--only NAME[,NAME] of the systems: bullmq, batched plain, …; the engine always takes part
--batch N          transactions a request (1000)
--seconds N        each is sent requests for so long (30)
--first N          and for so long before, which is not counted (10)
${LOAD_USAGE}
The load is six-corridors of end-to-end; --transactions is as many as the fastest could take (1,200,000).`;

const LOAD: Load = { ...SIX_CORRIDORS, transactions: 1_200_000, unmeasured: 0 };
const ROLE = fileURLToPath(new URL('./rivals/role.ts', import.meta.url));
const FOLDER = fileURLToPath(new URL('./rivals/', import.meta.url));
/** Versions are pinned, so the installed packages are those of the manifest. */
const VERSIONS: Readonly<Record<string, string>> = (
  JSON.parse(readFileSync(`${FOLDER}package.json`, 'utf8')) as {
    dependencies: Record<string, string>;
  }
).dependencies;

type System = {
  readonly name: string;
  readonly workers: number;
  readonly program: readonly string[] | undefined;
  readonly hasPackages: boolean;
};

const ENGINE: System = { name: 'engine', workers: 1, program: undefined, hasPackages: false };

function systemOf(rival: string, style: string, workers: number): System {
  return {
    name: style === 'usual' ? rival : `${style} ${rival}`,
    workers,
    program: [process.execPath, ROLE, rival, style],
    hasPackages: rival in VERSIONS,
  };
}

const SYSTEMS: readonly System[] = [
  ENGINE,
  ...['usual', 'batched'].flatMap((style) => [
    ...['bullmq', 'pg-boss', 'graphile-worker'].map((rival) => systemOf(rival, style, 1)),
    systemOf('plain', style, 0),
  ]),
];

/** A score is in one table or the other; `doubled` counts those in both. */
const STORED_OF_RIVALS = `
  with payments_scored as (
    select coalesce(p.scored_at, s.scored_at) as scored_at, p.received_at,
           p.scored_at is not null and s.scored_at is not null as is_doubled
      from payments p left join payment_scores s using (transaction_id)
  )
  select count(*)::int as transactions, count(scored_at)::int as scores, 0 as dead_letters,
         count(*)::int - count(scored_at)::int as lost,
         count(*) filter (where is_doubled)::int as doubled,
         p[1] as p50, p[2] as p95, p[3] as p99, p[4] as max
    from payments_scored,
         (select percentile_disc(array[0.5, 0.95, 0.99, 1.0])
                   within group (order by extract(epoch from scored_at - received_at) * 1000)::float8[] as p
            from payments_scored) of_latencies
   group by p`;

/** The load is made once: all systems get the same requests, each with stores of its own. */
type Requests = { readonly first: PreparedRequests; readonly counted: PreparedRequests };
type Offer = {
  readonly load: Load;
  readonly firstSeconds: number;
  readonly seconds: number;
  readonly requests: Requests;
};

async function makeRequests(load: Load, firstShare: number, folder: string): Promise<Requests> {
  const prepare = (one: Load) => prepareRequests(requestsOf(one, { folder, apiKey: API_KEY }));
  const transactions = Math.ceil(load.transactions * firstShare);
  return {
    first: await prepare({ ...load, transactions, seed: `${load.seed}-first` }),
    counted: await prepare(load),
  };
}

type Round = {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly acceptedToScoredMs: number;
  readonly breaches: readonly string[];
};

async function measure(
  { name, workers, program }: System,
  { load, firstSeconds, seconds, requests }: Offer,
  context: BenchContext,
): Promise<Round> {
  const note = (text: string) => context.output.note(`${name}: ${text}`);
  const told = { ...context, output: { ...context.output, note } };
  await using pipeline = await startPipeline({ workers, settings: {}, program }, told);
  const first = await runLoad(pipeline, { ...load, seconds: firstSeconds }, told, requests.first);
  const run = await runLoad(pipeline, { ...load, seconds }, told, requests.counted);
  const { database } = pipeline.services;
  const stored = await readStored(database, program === undefined ? undefined : STORED_OF_RIVALS);
  const missing = first.transactions + run.transactions - stored.scores;
  const { lost, doubled } = stored;
  return {
    perSecond: run.transactions / run.seconds,
    cpuUs: (run.cpuSeconds * 1e6) / run.transactions,
    acceptedToScoredMs: stored.p50,
    breaches:
      missing === 0 && lost === 0 && doubled === 0
        ? []
        : [`${name}: ${missing} missing, ${lost} lost, ${doubled} doubled`],
  };
}

function toReport(
  { name, workers }: System,
  { load, firstSeconds, seconds }: Offer,
  rounds: readonly Round[],
  engine: readonly Round[],
): BenchReport {
  const perSecond = spreadOf(rounds.map((round) => round.perSecond));
  const ratios = rounds.map((round, at) => (engine[at]?.perSecond ?? Number.NaN) / round.perSecond);
  const ratio = spreadOf(ratios);
  return {
    caseName: name,
    inputs: { ...load, firstSeconds, seconds, workers, rounds: rounds.length },
    settings: {},
    versions: VERSIONS,
    perSecond: perSecond.median,
    figures: {
      scored_per_second_min: perSecond.min,
      scored_per_second_median: perSecond.median,
      scored_per_second_max: perSecond.max,
      engine_is_so_many_times_as_fast_min: ratio.min,
      engine_is_so_many_times_as_fast_median: ratio.median,
      engine_is_so_many_times_as_fast_max: ratio.max,
      cpu_us_per_transaction_median: spreadOf(rounds.map(({ cpuUs }) => cpuUs)).median,
      accepted_to_scored_p50_ms_median: spreadOf(
        rounds.map(({ acceptedToScoredMs }) => acceptedToScoredMs),
      ).median,
    },
    ceilings: [],
    tables: [],
    breaches: rounds.flatMap(({ breaches }) => breaches),
  };
}

/** The rivals have dependencies of their own, so the engine is installed and tested without them. */
async function ensureInstalled({ output, signal }: BenchContext): Promise<void> {
  if (existsSync(`${FOLDER}node_modules/.package-lock.json`)) return;
  output.note('installing the rivals');
  await promisify(execFile)('npm', ['ci', '--ignore-scripts'], { cwd: FOLDER, signal });
}

export const bench: Bench = {
  name: 'rivals',
  question: 'What does the same work cost done the usual way?',
  usage: USAGE,
  run: async function* (args, context) {
    const text = { type: 'string' } as const;
    const { values } = parseArguments(args, {
      ...LOAD_OPTIONS,
      rounds: { ...text, default: '5' },
      batch: { ...text, default: '1000' },
      seconds: { ...text, default: '30' },
      first: { ...text, default: '10' },
      only: text,
    });
    const [count = 0] = integerList('--rounds', values.rounds, 1, 100);
    const [batch = 0] = integerList('--batch', values.batch, 1, 1000);
    const [seconds = 0] = integerList('--seconds', values.seconds, 1, 3600);
    const [firstSeconds = 0] = integerList('--first', values.first, 1, 3600);
    const load = readLoad(values, { ...LOAD, batch });
    const wanted = values.only?.split(',');
    const systems = SYSTEMS.filter((one) => one === ENGINE || (wanted?.includes(one.name) ?? true));
    if (systems.some(({ hasPackages }) => hasPackages)) await ensureInstalled(context);
    await using folder = await makeRunFolder('risk-rivals');
    context.output.note('preparing requests');
    const requests = await makeRequests(load, firstSeconds / seconds, folder.path);
    const offer = { load, firstSeconds, seconds, requests };
    const rounds = new Map<System, Round[]>(systems.map((one) => [one, []]));
    for (let round = 0; round < count; round++) {
      // Each round begins with another system, so that none always follows the same one.
      const shift = round % systems.length;
      for (const system of [...systems.slice(shift), ...systems.slice(0, shift)]) {
        context.output.note(`round ${round + 1} of ${count}: ${system.name}`);
        rounds.get(system)?.push(await measure(system, offer, context));
      }
    }
    const engine = rounds.get(ENGINE) ?? [];
    for (const [system, made] of rounds) yield toReport(system, offer, made, engine);
  },
};
