/**
 * The cost of requests with random keys to callers that have a key. Measures single posts at a rate, an open loop, from the moment
 * each was due until its answer: alone, and beside requests with random keys. The two alternate, so that other work of the
 * machine is in both. A lookup of an unknown key is answered 401, so the answers count the lookups.
 */
import { join } from 'node:path';
import { mintApiKey } from '../src/kit/access/api-key.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import type { GeneratorResult } from './support/generator.ts';
import { startGenerator } from './support/generator-process.ts';
import {
  LIVE_LOAD,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  readLoad,
  readSettings,
} from './support/load.ts';
import { type LoadRun, memoryBreaches, memoryTable, runLoad, warmUp } from './support/load-run.ts';
import { readOptions } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { treeCpuSeconds } from './support/process-usage.ts';
import { encodeGet, writeRequests } from './support/requests.ts';
import { spreadOf } from './support/spread.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--strangers N      requests with random keys, in each round (50000)
--strangers-rate N a second; 0 is as fast as they are answered (1000)
--rounds N         each alone, then beside strangers (3)
${LOAD_USAGE}
1,000 posts a second by default, on 128 connections, as long as the strangers take at their rate, and 5 s unmeasured.`;

const RATE = 1000;
/** The rate of the posts, at which all of them last fifty seconds. */
const STRANGERS_RATE = 1000;
const UNMEASURED_SECONDS = 5;
const STRANGER_CONNECTIONS = 32;
/** Bound on the p99 of posts beside strangers, as a multiple of the p99 alone. */
const P99_RATIO_MAX = 1.5;
const HOST = '127.0.0.1';

type Options = {
  readonly load: Load;
  readonly strangers: number;
  readonly strangersRate: number;
  readonly rounds: number;
  readonly settings: Settings;
};
type Round = {
  readonly alone: LoadRun;
  readonly beside: LoadRun;
  readonly strangers: GeneratorResult;
  readonly aloneCosts: Costs;
  readonly besideCosts: Costs;
};

/** Sends requests, each with a random key of its own in the engine's format. */
async function startStrangers(
  { folder, apiPort: port }: Pipeline,
  { strangers, strangersRate }: Options,
  signal: AbortSignal,
) {
  const file = join(folder, 'strangers');
  const encoded = Array.from({ length: strangers }, () =>
    encodeGet(HOST, mintApiKey().key, '/v1/status'),
  );
  const offsets = [...(await writeRequests(file, encoded))];
  return await startGenerator(
    {
      ...{ host: HOST, port, connections: STRANGER_CONNECTIONS, requestsPerSecond: strangersRate },
      ...{ live: false, takesAnyAnswer: true, source: { kind: 'written', file, offsets } },
    },
    signal,
  );
}

/** The result of some work, and what it cost. */
type Costs = {
  readonly commitsPerSecond: number;
  readonly apiSeconds: number;
  readonly postgresSeconds: number;
};

async function costing<T>(
  { services, api }: Pipeline,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly costs: Costs }> {
  const read = async () => {
    const { rows } = await services.database.query<{ commits: number }>(
      'select xact_commit::float8 as commits from pg_stat_database where datname = current_database()',
    );
    return {
      ...{ commits: rows[0]?.commits ?? 0, atMs: performance.now() },
      ...{ api: treeCpuSeconds(api.pid), postgres: treeCpuSeconds(services.postgresPid) },
    };
  };
  const before = await read();
  const result = await work();
  const after = await read();
  return {
    result,
    costs: {
      commitsPerSecond: ((after.commits - before.commits) * 1000) / (after.atMs - before.atMs),
      apiSeconds: after.api - before.api,
      postgresSeconds: after.postgres - before.postgres,
    },
  };
}

async function runRound(
  pipeline: Pipeline,
  options: Options,
  round: number,
  context: BenchContext,
): Promise<Round> {
  const seed = (name: string) => ({
    ...options.load,
    seed: `${options.load.seed}-${name}-${round}`,
  });
  const alone = await costing(pipeline, () => runLoad(pipeline, seed('alone'), context));
  using generator = await startStrangers(pipeline, options, context.signal);
  const beside = await costing(pipeline, () =>
    Promise.all([runLoad(pipeline, seed('beside'), context), generator.go()]),
  );
  const [run, strangers] = beside.result;
  return {
    ...{ alone: alone.result, beside: run, strangers },
    ...{ aloneCosts: alone.costs, besideCosts: beside.costs },
  };
}

/** The processor time of the strangers: that of the posts alone is taken off. */
function perStrangerUs(
  { aloneCosts, besideCosts, strangers }: Round,
  of: 'apiSeconds' | 'postgresSeconds',
): number {
  return ((besideCosts[of] - aloneCosts[of]) * 1e6) / strangers.requests;
}

async function measure(options: Options, context: BenchContext): Promise<BenchReport> {
  const { load, settings, strangersRate } = options;
  await using pipeline = await startPipeline({ workers: 1, settings }, context);
  await warmUp(pipeline, load, context);
  const rounds: Round[] = [];
  for (let round = 0; round < options.rounds; round++) {
    rounds.push(await runRound(pipeline, options, round, context));
  }
  const stored = await readStored(pipeline.services.database);
  const median = (of: (round: Round) => number) => spreadOf(rounds.map(of)).median;
  const ratio = median(
    ({ alone, beside }) => beside.posted.latencyMs.p99 / alone.posted.latencyMs.p99,
  );
  const lookedUp = median(({ strangers }) => strangers.byStatus[401] ?? 0);
  const strangerSeconds = ({ strangers }: Round) =>
    (strangers.lastAnswerMs - strangers.firstRequestMs) / 1000;
  const resent = rounds.reduce((sum, { beside }) => sum + beside.posted.resent, 0);
  const others = new Set(rounds.flatMap(({ strangers }) => Object.keys(strangers.byStatus)));
  const unexpected = [...others].filter((status) => status !== '401' && status !== '429');
  return {
    caseName: `${load.rate} posts a second beside ${strangersRate || 'any number of'} strangers`,
    inputs: { ...load, ...{ strangers: options.strangers, strangersRate, rounds: rounds.length } },
    settings,
    versions: pipeline.services.versions,
    perSecond: median((round) => round.strangers.requests / strangerSeconds(round)),
    figures: {
      alone_p50_ms: median(({ alone }) => alone.posted.latencyMs.p50),
      beside_p50_ms: median(({ beside }) => beside.posted.latencyMs.p50),
      alone_p99_ms: median(({ alone }) => alone.posted.latencyMs.p99),
      beside_p99_ms: median(({ beside }) => beside.posted.latencyMs.p99),
      p99_ratio: ratio,
      strangers_per_second: median((round) => round.strangers.requests / strangerSeconds(round)),
      stranger_p99_ms: median(({ strangers }) => strangers.latencyMs.p99),
      strangers_looked_up: lookedUp,
      strangers_looked_up_per_second: median(
        (round) => (round.strangers.byStatus[401] ?? 0) / strangerSeconds(round),
      ),
      commits_per_second_alone: median(({ aloneCosts }) => aloneCosts.commitsPerSecond),
      commits_per_second_beside: median(({ besideCosts }) => besideCosts.commitsPerSecond),
      api_us_per_stranger: median((round) => perStrangerUs(round, 'apiSeconds')),
      postgres_us_per_stranger: median((round) => perStrangerUs(round, 'postgresSeconds')),
      resent_beside: resent,
      idle_share_beside: median(({ beside }) => beside.idleShare),
    },
    ceilings: [],
    tables: [
      {
        title: 'rounds',
        rows: rounds.map(({ alone, beside, strangers }) => ({
          alone_p99_ms: alone.posted.latencyMs.p99.toFixed(1),
          beside_p99_ms: beside.posted.latencyMs.p99.toFixed(1),
          unauthorized: strangers.byStatus[401] ?? 0,
          turned_away: strangers.byStatus[429] ?? 0,
        })),
      },
      { title: 'processor time by role, beside strangers', rows: rounds.at(-1)?.beside.cpu ?? [] },
      memoryTable(rounds.at(-1)?.beside.memory ?? []),
    ],
    breaches: [
      ...(ratio <= P99_RATIO_MAX ? [] : [`p99 is ${ratio.toFixed(2)} times what it is alone`]),
      ...(resent === 0 ? [] : [`${resent} posts with a key were refused`]),
      ...(unexpected.length === 0 ? [] : [`strangers were answered ${unexpected.join(', ')}`]),
      ...storedBreaches(stored),
      ...memoryBreaches(rounds.at(-1)?.beside.memory ?? []),
    ],
  };
}

export const bench: Bench = {
  name: 'strangers',
  question: 'What do requests with random keys cost those who have one?',
  onlyByName: 'it compares what a machine with nothing else to do answers',
  usage: USAGE,
  run: async function* (args, context) {
    const { values, numbers } = readOptions(
      args,
      {
        strangers: { or: 50_000, max: 1_000_000 },
        'strangers-rate': { or: STRANGERS_RATE, min: 0, max: 1_000_000 },
        rounds: { or: 3, max: 100 },
      },
      LOAD_OPTIONS,
    );
    const { strangers, 'strangers-rate': strangersRate, rounds } = numbers;
    const seconds = Math.ceil(strangers / (strangersRate || STRANGERS_RATE));
    const asked = readLoad(values, { ...LIVE_LOAD, rate: RATE, connections: 128, transactions: 0 });
    const load = {
      ...{ ...asked, batch: 1, unmeasured: asked.rate * UNMEASURED_SECONDS },
      transactions: asked.transactions || asked.rate * seconds,
    };
    const settings = readSettings(values.set);
    yield await measure({ load, strangers, strangersRate, rounds, settings }, context);
  },
};
