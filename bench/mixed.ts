/**
 * The wait of a client where nine of ten requests read. Reads and single posts share one API: a closed loop gives the rate, then an open
 * loop at a share of that rate gives the wait. Accounts are asked for as often as they are busy.
 */
import type { Bench, BenchContext, BenchReport, BenchTable, Settings } from './support/bench.ts';
import { LIVE_LOAD, LOAD_OPTIONS, LOAD_USAGE, readLoad, readSettings } from './support/load.ts';
import { memoryBreaches, memoryTable, readMemory, runLoad } from './support/load-run.ts';
import { type MetricSample, readMetrics } from './support/metrics.ts';
import { ask, mixedRequests, readParties } from './support/mixed-requests.ts';
import { readOptions } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { readScored, untilScored } from './support/scored-counter.ts';
import { readScoringCounts, tierTable } from './support/scoring-counts.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--writes N         percent of the requests that post one transaction (10)
--requests N       of the closed loop (20000)
--seconds N        of the open loop (60)
${LOAD_USAGE}
By default 100,000 transactions are stored first; 32 connections ask.`;

/** Share of the rate that keeps the load below the knee, where waits describe the engine. */
const OPEN_LOOP_SHARE = 0.7;
/** Caches of the API, as its metrics name them. */
const CACHES = ['scores', 'recent_summaries', 'past_summaries'] as const;
const CONNECTIONS = 32;

function hitTable(before: MetricSample, after: MetricSample): BenchTable {
  const rows = CACHES.map((cache) => {
    const counted = (name: string) => after.sum(name, { cache }) - before.sum(name, { cache });
    const hits = counted('risk_cache_hits_total');
    const reads = hits + counted('risk_cache_misses_total');
    return { cache, reads, hit_percent: ((100 * hits) / reads).toFixed(1) };
  });
  return { title: 'caches of the API', rows };
}

type Options = Readonly<Record<'writes' | 'requests' | 'seconds', number>> & {
  readonly settings: Settings;
  readonly seed: string;
};

async function measure(
  pipeline: Pipeline,
  { writes, requests, seconds, settings, seed }: Options,
  context: BenchContext,
): Promise<BenchReport> {
  const { api, apiKey, workers, services } = pipeline;
  const { signal, output } = context;
  const parties = await readParties(pipeline);
  const source = mixedRequests({ parties, writes, load: { ...LIVE_LOAD, seed } });
  const scoredBefore = await readScored(workers, signal);
  const closedLoop = { requests, connections: CONNECTIONS, perSecond: 0 };
  output.note('closed loop');
  const { answered: closed } = await ask(pipeline, source, closedLoop, signal);
  const closedPerSecond = (requests * 1000) / (closed.lastAnswerMs - closed.firstRequestMs);
  const perSecond = Math.round(closedPerSecond * OPEN_LOOP_SHARE);
  const openLoop = { requests: perSecond * seconds, connections: CONNECTIONS, perSecond };
  output.note(`open loop, ${perSecond} a second`);
  const tiersBefore = await readScoringCounts(workers, signal);
  const before = await readMetrics(api, signal, apiKey);
  const { answered: open, seconds: cpu } = await ask(pipeline, source, openLoop, signal);
  const after = await readMetrics(api, signal, apiKey);
  const transactions = closed.accepted + open.accepted;
  await untilScored(workers, { scoredBefore, transactions: () => transactions }, signal);
  const tiersAfter = await readScoringCounts(workers, signal);
  const { lost, doubled } = await readStored(services.database);
  const memory = await readMemory(pipeline);
  const cpuSeconds = Object.values(cpu).reduce((sum, one) => sum + one, 0);
  return {
    caseName: `${100 - writes} % reads`,
    inputs: { writes, requests, seconds, parties: parties.length, ...services.settings },
    settings,
    versions: services.versions,
    perSecond: closedPerSecond,
    figures: {
      requests_per_second: closedPerSecond,
      offered_per_second: perSecond,
      http_p50_ms: open.latencyMs.p50,
      http_p95_ms: open.latencyMs.p95,
      http_p99_ms: open.latencyMs.p99,
      cpu_us_per_request: (cpuSeconds * 1e6) / openLoop.requests,
      accepted: transactions,
      ...{ lost, doubled },
    },
    ceilings: [],
    tables: [hitTable(before, after), tierTable(tiersBefore, tiersAfter), memoryTable(memory)],
    breaches: [...storedBreaches({ lost, doubled }), ...memoryBreaches(memory)],
  };
}

export const bench: Bench = {
  name: 'mixed',
  question: 'How long does a client wait where nine of ten requests read?',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      writes: { or: 10, max: 100 },
      requests: { or: 20_000, max: 10_000_000 },
      seconds: { or: 60, max: 3600 },
    };
    const { values, numbers } = readOptions(args, wholes, LOAD_OPTIONS);
    const settings = readSettings(values.set);
    const load = readLoad(values, { ...LIVE_LOAD, transactions: 100_000 });
    await using pipeline = await startPipeline({ workers: 1, settings }, context);
    await runLoad(pipeline, load, context);
    yield await measure(pipeline, { ...numbers, settings, seed: load.seed }, context);
  },
};
