/** Runs loads on an engine of this machine, and writes down what they took: some calibrate the model, the others judge it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { BenchContext } from '../support/bench.ts';
import { readEngineCpu } from '../support/cpu-by-role.ts';
import { readLatencies } from '../support/due-to-scored.ts';
import { LIVE_LOAD, type Load } from '../support/load.ts';
import { runLoad, warmUp } from '../support/load-run.ts';
import { describeMachine, type Machine, readCommit } from '../support/machine.ts';
import { readMetrics } from '../support/metrics.ts';
import { ask, mixedRequests, readParties } from '../support/mixed-requests.ts';
import { type Percentiles, percentiles } from '../support/percentiles.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { machineCpuSeconds } from '../support/process-usage.ts';
import { followPublished } from '../support/published.ts';
import { readStored } from '../support/stored.ts';

/** A load in words, and what it is for. */
export type Trial = {
  readonly name: string;
  readonly use: 'calibrates' | 'compares';
  readonly workers: number;
  readonly batch: number;
  /** Transactions a second; 0: as fast as they are answered. */
  readonly rate: number;
  /** Requests a second that read, beside the posts. */
  readonly reads: number;
  readonly connections: number;
  readonly seconds: number;
  readonly transactions: number;
};

const trial = (use: Trial['use'], name: string, own: Partial<Trial>): Trial => {
  const { batch = 100, rate = 0, seconds = 16 } = own;
  return {
    ...{ name, use, workers: 1, batch, rate, reads: 0, connections: 16, seconds },
    transactions: rate * seconds,
    ...own,
  };
};

/**
 * In the order in which they run: workers are added and never taken away. None but the two knees fills the machine, as waits of a full
 * machine tell how long a run lasted. Two rates of single posts calibrate: one alone does not tell the cost of a post from that of a commit.
 */
export const TRIALS: readonly Trial[] = [
  trial('calibrates', 'batches of 100, 3,000/s', { rate: 3000 }),
  trial('calibrates', 'batches of 100, 1,000/s', { rate: 1000 }),
  trial('calibrates', 'single posts, 300/s', { batch: 1, rate: 300 }),
  trial('calibrates', 'single posts, 1,000/s', { batch: 1, rate: 1000 }),
  trial('calibrates', 'batches of 1,000, 6,000/s', { batch: 1000, rate: 6000, seconds: 10 }),
  trial('calibrates', 'reads, 700/s', { batch: 0, reads: 700, connections: 32, seconds: 10 }),
  trial('compares', 'batches of 100, 2,000/s', { rate: 2000 }),
  trial('compares', 'batches of 100, 4,000/s', { rate: 4000 }),
  trial('compares', 'batches of 20, 1,000/s', { batch: 20, rate: 1000 }),
  trial('compares', 'batches of 20, 2,000/s', { batch: 20, rate: 2000 }),
  trial('compares', 'single posts, 600/s', { batch: 1, rate: 600 }),
  trial('compares', 'batches of 1,000, 3,000/s', { batch: 1000, rate: 3000 }),
  trial('compares', 'batches of 100, the knee', { transactions: 100_000 }),
  trial('compares', 'batches of 1,000, the knee', { batch: 1000, transactions: 120_000 }),
  trial('compares', '400 reads and 100 posts/s', {
    batch: 1,
    rate: 100,
    reads: 400,
    connections: 32,
  }),
  trial('compares', 'batches of 100, 3,000/s, two workers', { workers: 2, rate: 3000 }),
  trial('compares', 'single posts, 600/s, two workers', { workers: 2, batch: 1, rate: 600 }),
];

const ROLES = ['generator', 'api', 'worker', 'postgres', 'redis', 'others'] as const;
export type Role = (typeof ROLES)[number];

export type Observation = Trial & {
  /** From the first request to the last score or answer. */
  readonly lasted: number;
  readonly scoredTransactions: number;
  readonly requests: number;
  readonly commits: number;
  readonly batches: number;
  readonly walBytes: number;
  /** Statements that reads took, each. */
  readonly readsMissed: number;
  readonly cores: Readonly<Record<Role, number>>;
  readonly perSecond: number;
  /** Requests until their answers, reads and posts together. */
  readonly answeredMs: Pick<Percentiles, 'p50' | 'p99'>;
  readonly scoredMs: Pick<Percentiles, 'p50' | 'p99'> | null;
};

export type Observed = {
  readonly measured_at: string;
  readonly commit: string;
  readonly machine: Machine;
  /** Processors in use while nothing was sent. */
  readonly idle: Readonly<Record<'api' | 'worker' | 'postgres' | 'redis', number>>;
  /** A commit at rest, without the statement around it; and an empty statement. */
  readonly flushMs: number;
  readonly statementMs: number;
  readonly corridors: number;
  readonly runs: readonly Observation[];
};

const IDLE_SECONDS = 8;
const PROBES = 300;
/** Sessions report their counts within a second. */
const REPORTED_MS = 1200;

async function readIdle(pipeline: Pipeline, signal: AbortSignal): Promise<Observed['idle']> {
  const before = readEngineCpu(pipeline);
  await wait(IDLE_SECONDS * 1000, undefined, { signal });
  const after = readEngineCpu(pipeline);
  const cores = (role: keyof typeof before) => (after[role] - before[role]) / IDLE_SECONDS;
  return {
    ...{ api: cores('api'), worker: cores('workers') },
    ...{ postgres: cores('postgres'), redis: cores('redis') },
  };
}

async function probe({ services: { database } }: Pipeline) {
  const time = async (text: string) => {
    const taken: number[] = [];
    for (let nth = 0; nth < PROBES; nth++) {
      const began = performance.now();
      await database.query(text);
      taken.push(performance.now() - began);
    }
    return percentiles(taken).p50;
  };
  const statementMs = await time('select 1');
  const committed = await time(`select pg_logical_emit_message(true, 'bench', 'probe')`);
  return { statementMs, flushMs: committed - statementMs };
}

type Counts = Readonly<Record<'statements' | 'commits' | 'batches' | 'walBytes', number>>;

async function readCounts(
  { services: { database }, workers }: Pipeline,
  signal: AbortSignal,
): Promise<Counts> {
  await wait(REPORTED_MS, undefined, { signal });
  const { rows } = await database.query<Omit<Counts, 'batches'>>(
    `select (select xact_commit::float8 from pg_stat_database where datname = current_database()) as statements,
            (select wal_bytes::float8 from pg_stat_wal) as "walBytes",
            (select count(distinct inserted_xid)::float8 from transactions) as commits`,
  );
  const { statements = 0, commits = 0, walBytes = 0 } = rows[0] ?? {};
  const metrics = await Promise.all(workers.map((worker) => readMetrics(worker, signal)));
  const batches = metrics.reduce(
    (sum, one) => sum + one.sum('risk_batch_duration_seconds_count', { stage: 'store' }),
    0,
  );
  return { statements, batches, walBytes, commits };
}

type Used = { readonly seconds: number; readonly byRole: Readonly<Record<Role, number>> };
type Ran = Used & Pick<Observation, 'requests' | 'answeredMs' | 'scoredTransactions'> & Span;
type Span = { readonly firstMs: number; readonly lastMs: number };

async function post(pipeline: Pipeline, one: Trial, context: BenchContext): Promise<Ran> {
  const run = await runLoad(pipeline, loadOf(one), context);
  const of = (role: string) => Number(run.cpu.find((row) => row.role === role)?.cpu_seconds);
  const known = {
    ...{ generator: of('generator'), api: of('api'), worker: of('workers') },
    ...{ postgres: of('postgres'), redis: of('redis') },
  };
  const busy = (1 - run.idleShare) * describeMachine().cores * run.seconds;
  const { posted, seconds, transactions } = run;
  return {
    ...{ seconds, byRole: withOthers(known, busy), requests: posted.requests },
    ...{ answeredMs: posted.latencyMs, scoredTransactions: transactions },
    ...{ firstMs: posted.firstRequestMs, lastMs: run.progress.finishedMs },
  };
}

async function mix(pipeline: Pipeline, one: Trial, { signal }: BenchContext): Promise<Ran> {
  const parties = await readParties(pipeline);
  const load = loadOf(one);
  const writes = (100 * one.rate) / (one.rate + one.reads);
  const source = mixedRequests({ parties, writes, load });
  const perSecond = one.rate + one.reads;
  const requests = perSecond * one.seconds;
  const before = machineCpuSeconds();
  const loop = { requests, connections: one.connections, perSecond };
  const { answered, seconds: used } = await ask(pipeline, source, loop, signal);
  const after = machineCpuSeconds();
  const { workers: worker, ...others } = used;
  const busy = after.all - before.all - (after.idle - before.idle);
  const { firstRequestMs: firstMs, lastAnswerMs: lastMs } = answered;
  return {
    seconds: (lastMs - firstMs) / 1000,
    byRole: withOthers({ ...others, worker }, busy),
    ...{ requests, answeredMs: answered.latencyMs, scoredTransactions: answered.accepted },
    ...{ firstMs, lastMs },
  };
}

function withOthers(known: Readonly<Record<Exclude<Role, 'others'>, number>>, busy: number) {
  const sum = Object.values(known).reduce((total, own) => total + own, 0);
  return { ...known, others: Math.max(0, busy - sum) };
}

function loadOf({ name, batch, rate, transactions, connections }: Trial): Load {
  const seed = name.replaceAll(/\W+/g, '-');
  return { ...LIVE_LOAD, habits: '1', seed, batch, rate, transactions, connections };
}

/** Not counted: code is compiled, and caches fill. */
const WARM_UP = {
  ...LIVE_LOAD,
  habits: '1',
  batch: 100,
  rate: 3000,
  connections: 16,
  unmeasured: 45_000,
};

/** @throws where anything was lost or doubled */
export async function observe(context: BenchContext): Promise<Observed> {
  const { signal, output } = context;
  await using pipeline = await startPipeline({ workers: 1, settings: {} }, context);
  await warmUp(pipeline, WARM_UP, context);
  const followed = await followPublished(pipeline.services);
  const idle = await readIdle(pipeline, signal);
  const probed = await probe(pipeline);
  const taken: { one: Trial; ran: Ran; counts: Counts }[] = [];
  for (const one of TRIALS) {
    output.note(one.name);
    const missing = one.workers - pipeline.workers.length;
    if (missing > 0) await pipeline.startWorkers(missing);
    const before = await readCounts(pipeline, signal);
    const ran = await (one.reads > 0 ? mix : post)(pipeline, one, context);
    const after = await readCounts(pipeline, signal);
    const counts = {
      commits: after.commits - before.commits,
      batches: after.batches - before.batches,
      statements: after.statements - before.statements,
      walBytes: after.walBytes - before.walBytes,
    };
    taken.push({ one, ran, counts });
  }
  const published = await followed.end();
  const runs: Observation[] = [];
  for (const { one, ran, counts } of taken) {
    const span = { firstMs: ran.firstMs, lastMs: ran.lastMs, besides: '' };
    const { fromDue } = await readLatencies(pipeline, published, span);
    // A mix has times of when its requests were made.
    runs.push(toObservation(one, ran, counts, one.reads > 0 ? null : fromDue));
  }
  const { lost, doubled } = await readStored(pipeline.services.database);
  if (lost + doubled > 0) throw new Error(`lost ${lost}, doubled ${doubled}`);
  return {
    ...{ measured_at: new Date().toISOString(), commit: await readCommit() },
    ...{ machine: describeMachine(), idle, ...probed, corridors: LIVE_LOAD.corridors, runs },
  };
}

function toObservation(
  one: Trial,
  { seconds, byRole, requests, answeredMs, scoredTransactions }: Ran,
  { commits, batches, statements, walBytes }: Counts,
  scoredMs: Percentiles | null,
): Observation {
  const cores = Object.fromEntries(ROLES.map((role) => [role, byRole[role] / seconds]));
  const reads = one.reads * one.seconds;
  const short = ({ p50, p99 }: Observation['answeredMs']) => ({ p50, p99 });
  return {
    ...{ ...one, lasted: seconds, scoredTransactions, requests, commits, batches, walBytes },
    readsMissed: reads === 0 ? 0 : Math.min(1, Math.max(0, statements - commits - batches) / reads),
    cores: cores as Observation['cores'],
    perSecond: scoredTransactions / seconds,
    answeredMs: short(answeredMs),
    scoredMs: scoredMs && short(scoredMs),
  };
}
