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
import { readOptions, TEXT } from './support/options.ts';
import { API_KEY, startPipeline } from './support/pipeline.ts';
import { machineCpuSeconds, stolenShare } from './support/process-usage.ts';
import { ratioOf } from './support/rank-interval.ts';
import { type PreparedRequests, prepareRequests } from './support/requests.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { spreadOf } from './support/spread.ts';
import { readStored } from './support/stored.ts';

const USAGE = `--rounds N         each system once a round, in turn (7)
--only NAME[,NAME] of the systems: bullmq, batched plain, …; the engine always takes part
--batch N          transactions a request (1000)
--seconds N        each is sent requests for so long (30)
--first N          and for so long before, which is not counted (10)
--try N[,N]        connections; in its first round each system finds those at which it is fastest (by batch)
${LOAD_USAGE}
A round is thrown away in which the host took more than 2 % of the processors. The load is six-corridors of end-to-end;
--transactions is as many as the fastest could take (1,200,000).`;

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
type Offer = {
  readonly load: Load;
  readonly firstSeconds: number;
  readonly seconds: number;
  /** The requests of each try, by its number of connections. */
  readonly first: ReadonlyMap<number, PreparedRequests>;
  readonly counted: PreparedRequests;
};

async function makeRequests(
  load: Load,
  connections: readonly number[],
  firstShare: number,
  folder: string,
): Promise<Pick<Offer, 'first' | 'counted'>> {
  const prepare = (one: Load) => prepareRequests(requestsOf(one, { folder, apiKey: API_KEY }));
  const transactions = Math.ceil(load.transactions * firstShare);
  const first = new Map<number, PreparedRequests>();
  for (const one of connections)
    first.set(one, await prepare({ ...load, transactions, seed: `${load.seed}-first-${one}` }));
  return { first, counted: await prepare(load) };
}

const CONNECTIONS = { singly: '32,64,128', batches: '4,6,12' } as const;
const STOLEN_MAX = 0.02;

type Round = {
  readonly connections: number;
  readonly stolenShare: number;
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly acceptedToScoredMs: number;
  readonly breaches: readonly string[];
};

/** @param best the connections at which the system was fastest; undefined in its first round */
async function measure(
  { name, workers, program }: System,
  { load, firstSeconds, seconds, first, counted }: Offer,
  best: number | undefined,
  context: BenchContext,
): Promise<Round> {
  const note = (text: string) => context.output.note(`${name}: ${text}`);
  const told = { ...context, output: { ...context.output, note } };
  await using pipeline = await startPipeline({ workers, settings: {}, program }, told);
  let [fastest, sent] = [{ connections: 0, perSecond: 0 }, 0];
  for (const [connections, requests] of first) {
    if (best !== undefined && best !== connections) continue;
    const tried = { ...load, connections, seconds: firstSeconds };
    const { transactions, seconds: took } = await runLoad(pipeline, tried, told, requests);
    sent += transactions;
    const perSecond = transactions / took;
    if (perSecond > fastest.perSecond) fastest = { connections, perSecond };
  }
  const { connections } = fastest;
  const before = machineCpuSeconds();
  const run = await runLoad(pipeline, { ...load, connections, seconds }, told, counted);
  const stolen = stolenShare(before, machineCpuSeconds());
  const { database } = pipeline.services;
  const stored = await readStored(database, program === undefined ? undefined : STORED_OF_RIVALS);
  const missing = sent + run.transactions - stored.scores;
  const { lost, doubled } = stored;
  return {
    connections,
    stolenShare: stolen,
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
  const quiet = rounds.filter((round) => round.stolenShare <= STOLEN_MAX);
  const quietEngine = engine.filter((round) => round.stolenShare <= STOLEN_MAX);
  const of = (all: readonly Round[], figure: 'perSecond' | 'cpuUs') =>
    all.map((round) => round[figure]);
  const perSecond = spreadOf(of(quiet, 'perSecond'));
  const cpuUs = spreadOf(of(quiet, 'cpuUs'));
  const fast = ratioOf(of(quiet, 'perSecond'), of(quietEngine, 'perSecond'));
  const cheap = ratioOf(of(quietEngine, 'cpuUs'), of(quiet, 'cpuUs'));
  return {
    caseName: name,
    inputs: {
      ...{ ...load, firstSeconds, seconds, workers, rounds: quiet.length },
      connections: rounds[0]?.connections ?? 0,
    },
    settings: {},
    versions: VERSIONS,
    perSecond: perSecond.median,
    figures: {
      scored_per_second_min: perSecond.min,
      scored_per_second_median: perSecond.median,
      scored_per_second_max: perSecond.max,
      cpu_us_per_transaction_median: cpuUs.median,
      engine_is_so_many_times_as_fast: fast.ratio,
      engine_is_so_many_times_as_fast_at_least: fast.low,
      engine_is_so_many_times_as_fast_at_most: fast.high,
      engine_is_so_many_times_as_cheap: cheap.ratio,
      engine_is_so_many_times_as_cheap_at_least: cheap.low,
      engine_is_so_many_times_as_cheap_at_most: cheap.high,
      accepted_to_scored_p50_ms_median: spreadOf(
        quiet.map(({ acceptedToScoredMs }) => acceptedToScoredMs),
      ).median,
      stolen_share_max: spreadOf(rounds.map(({ stolenShare }) => stolenShare)).max,
      rounds_thrown_away: rounds.length - quiet.length,
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
    const { values, numbers } = readOptions(
      args,
      {
        rounds: { or: 7, max: 100 },
        batch: { or: 1000, max: 1000 },
        seconds: { or: 30, max: 3600 },
        first: { or: 10, max: 3600 },
      },
      { ...LOAD_OPTIONS, only: TEXT, try: TEXT },
    );
    const { rounds: count, batch, seconds, first: firstSeconds } = numbers;
    const load = readLoad(values, { ...LOAD, batch });
    const tried = values.try ?? CONNECTIONS[batch === 1 ? 'singly' : 'batches'];
    const connections = integerList('--try', tried, 1, 1000);
    const wanted = values.only?.split(',');
    const systems = SYSTEMS.filter((one) => one === ENGINE || (wanted?.includes(one.name) ?? true));
    if (systems.some(({ hasPackages }) => hasPackages)) await ensureInstalled(context);
    await using folder = await makeRunFolder('risk-rivals');
    context.output.note('preparing requests');
    const share = firstSeconds / seconds;
    const requests = await makeRequests(load, connections, share, folder.path);
    const offer = { load, firstSeconds, seconds, ...requests };
    const rounds = new Map<System, Round[]>(systems.map((one) => [one, []]));
    for (let round = 0; round < count; round++) {
      // Each round begins with another system, so that none always follows the same one.
      const shift = round % systems.length;
      for (const system of [...systems.slice(shift), ...systems.slice(0, shift)]) {
        context.output.note(`round ${round + 1} of ${count}: ${system.name}`);
        const made = rounds.get(system) ?? [];
        made.push(await measure(system, offer, made[0]?.connections, context));
      }
    }
    const engine = rounds.get(ENGINE) ?? [];
    for (const [system, made] of rounds) yield toReport(system, offer, made, engine);
  },
};
