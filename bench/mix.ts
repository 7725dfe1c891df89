/**
 * How many requests of a mix does one API process answer, and how many from memory? Nine of ten are reads; accounts are drawn by
 * Zipf's law, and so are the accounts that transactions are posted for while a worker scores them. The closed loop gives the rate
 * and the processor time of a request; the open loop, at a share of that rate, the wait.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, BenchContext, BenchReport, BenchTable } from './support/bench.ts';
import type { GeneratorResult } from './support/generator.ts';
import { LOAD_OPTIONS, LOAD_USAGE, MONTH_LOAD, readLoad, readSettings } from './support/load.ts';
import { memoryBreaches, memoryTable, readMemory, runLoad } from './support/load-run.ts';
import { readMetrics } from './support/metrics.ts';
import { ask, type Mix, mixedRequests, readParties } from './support/mixed-requests.ts';
import { readOptions } from './support/options.ts';
import { API_KEY, type Pipeline, startPipeline } from './support/pipeline.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--requests N       of each loop (40000)
--writes N         percent of the requests that post a transaction (10)
--reads N          requests a second of the open loop, in place of its share of the closed loop's
${LOAD_USAGE}
By default 100,000 transactions are stored first; 32 connections ask.`;

const OPEN_LOOP_SHARE = 0.7;
const CACHES = ['scores', 'profiles', 'recent_summaries', 'past_summaries'] as const;
const MICROSECONDS = 1e6;
const SCORED_CHECKS = 100;
const SCORED_CHECK_MS = 200;

async function readHits({ api }: Pipeline, signal: AbortSignal) {
  const metrics = await readMetrics(api, signal, API_KEY);
  const count = (metric: string, cache: string) =>
    metrics.sum(`risk_cache_${metric}_total{cache="${cache}",tier="memory"}`);
  return CACHES.map((cache) => ({
    cache,
    hits: count('hits', cache),
    misses: count('misses', cache),
  }));
}
type Hits = Awaited<ReturnType<typeof readHits>>;

function hitTable(before: Hits, after: Hits): BenchTable {
  const rows = after.map(({ cache, hits, misses }, at) => {
    const [newHits, loads] = [hits - (before[at]?.hits ?? 0), misses - (before[at]?.misses ?? 0)];
    return {
      cache,
      reads: newHits + loads,
      loads,
      hit_rate: (newHits / (newHits + loads)).toFixed(3),
    };
  });
  return { title: 'answers from memory', rows };
}

const perSecondOf = ({ requests, firstRequestMs, lastAnswerMs }: GeneratorResult) =>
  (requests * 1000) / (lastAnswerMs - firstRequestMs);

async function measure(
  pipeline: Pipeline,
  mix: Mix,
  { requests, connections, reads }: { requests: number; connections: number; reads: number },
  { signal, output }: BenchContext,
): Promise<BenchReport> {
  const source = mixedRequests(mix);
  const atStart = await readHits(pipeline, signal);
  output.note('asking in a closed loop');
  const closed = await ask(pipeline, source, { requests, connections, perSecond: 0 }, signal);
  const closedPerSecond = perSecondOf(closed.answered);
  const us = (role: keyof typeof closed.seconds) =>
    (closed.seconds[role] * MICROSECONDS) / closed.answered.requests;
  const afterClosed = await readHits(pipeline, signal);
  const perSecond = reads > 0 ? reads : Math.round(closedPerSecond * OPEN_LOOP_SHARE);
  output.note('asking in an open loop');
  const open = await ask(pipeline, source, { requests, connections, perSecond }, signal);
  const afterOpen = await readHits(pipeline, signal);
  const { 503: unavailable = 0 } = closed.answered.byStatus;
  return {
    caseName: `${100 - mix.writes}:${mix.writes}`,
    inputs: {
      requests,
      connections,
      writes_percent: mix.writes,
      accounts_asked: mix.parties.length,
    },
    settings: {},
    versions: pipeline.services.versions,
    perSecond: closedPerSecond,
    figures: {
      closed_loop_per_second: closedPerSecond,
      closed_loop_p50_ms: closed.answered.latencyMs.p50,
      closed_loop_p99_ms: closed.answered.latencyMs.p99,
      api_us_per_request: us('api'),
      postgres_us_per_request: us('postgres'),
      redis_us_per_request: us('redis'),
      workers_us_per_request: us('workers'),
      open_loop_offered_per_second: perSecond,
      open_loop_p50_ms: open.answered.latencyMs.p50,
      open_loop_p99_ms: open.answered.latencyMs.p99,
      resent: closed.answered.resent + open.answered.resent,
      unavailable,
    },
    ceilings: [],
    tables: [
      { ...hitTable(atStart, afterClosed), title: 'answers from memory, closed loop' },
      { ...hitTable(afterClosed, afterOpen), title: 'answers from memory, open loop' },
    ],
    breaches: [],
  };
}

/** The last transactions are still being scored when the last request is answered. */
async function untilStored({ services: { database } }: Pipeline, signal: AbortSignal) {
  for (let left = SCORED_CHECKS; ; left--) {
    const stored = await readStored(database);
    if (stored.lost === 0 || left === 0) return stored;
    await delay(SCORED_CHECK_MS, undefined, { signal });
  }
}

export const bench: Bench = {
  name: 'mix',
  question:
    'How many requests of a mix of reads and writes does one API answer, and how many from memory?',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      requests: { or: 40_000, max: 10_000_000 },
      reads: { or: 0, min: 0, max: 10_000_000 },
      writes: { or: 10, min: 0, max: 100 },
    };
    const { values, numbers } = readOptions(args, wholes, LOAD_OPTIONS);
    const { requests, reads, writes } = numbers;
    const load = readLoad(values, { ...MONTH_LOAD, transactions: 100_000 });
    const connections = values.connections === undefined ? 32 : load.connections;
    const settings = readSettings(values.set);
    await using pipeline = await startPipeline({ workers: 1, settings }, context);
    await runLoad(pipeline, { ...load, connections: MONTH_LOAD.connections }, context);
    const parties = await readParties(pipeline);
    const report = await measure(
      pipeline,
      { parties, writes, load },
      { requests, connections, reads },
      context,
    );
    const memory = await readMemory(pipeline);
    const stored = await untilStored(pipeline, context.signal);
    yield {
      ...{ ...report, settings },
      inputs: { transactions: load.transactions, accounts: load.accounts, ...report.inputs },
      tables: [...report.tables, memoryTable(memory)],
      breaches: [...storedBreaches(stored), ...memoryBreaches(memory)],
    };
  },
};
