/**
 * How many requests of a mix does one API process answer, and how many from memory? Nine of ten are reads; accounts are drawn by
 * Zipf's law, and so are the accounts that transactions are posted for while a worker scores them. The closed loop gives the rate
 * and the processor time of a request; the open loop, at a share of that rate, the wait.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { integerOption, parseArguments } from '../src/kit/command/command.ts';
import { createRandom, type Random } from '../src/kit/random.ts';
import { transactionWriter } from '../src/tools/simulate/format.ts';
import type { Bench, BenchContext, BenchReport, BenchTable } from './support/bench.ts';
import { readCpu } from './support/cpu-by-role.ts';
import type { GeneratorResult } from './support/generator.ts';
import { startGenerator } from './support/generator-process.ts';
import {
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  MONTH_LOAD,
  readLoad,
  readSettings,
} from './support/load.ts';
import { memoryBreaches, memoryTable, readMemory, runLoad } from './support/load-run.ts';
import { readMetrics } from './support/metrics.ts';
import { API_KEY, type Pipeline, startPipeline } from './support/pipeline.ts';
import { encodeGet, encodePost, writeRequests } from './support/requests.ts';
import { readStored, storedBreaches } from './support/stored.ts';
import { trafficRows } from './support/traffic.ts';
import { zipf } from './support/zipf.ts';

const USAGE = `--requests N       of each loop (40000)
--writes N         percent of the requests that post a transaction (10)
--reads N          requests a second of the open loop, in place of its share of the closed loop's
${LOAD_USAGE}
By default 100,000 transactions are stored first; 32 connections ask.`;

const OPEN_LOOP_SHARE = 0.7;
/** Percent of the reads; the rest are scores by id. */
const READS = { transaction: 25, account: 20, merchant: 5, summary: 10 } as const;
const SUMMARY_DIVISIONS = ['corridor', 'verdict', 'currency', 'rule', 'model', 'label'] as const;
const SUMMARY_DAYS = [1, 7, 28] as const;
const PAST_DAYS = 14;
const DAY_MS = 86_400_000;
/** Scores and transactions of an account that are asked for. */
const IDS_OF_ACCOUNT = 8;
const CACHES = ['scores', 'profiles', 'recent_summaries', 'past_summaries'] as const;
const MICROSECONDS = 1e6;
const SCORED_CHECKS = 100;
const SCORED_CHECK_MS = 200;

type Party = { readonly account: string; readonly merchant: string; readonly ids: string[] };

/** Accounts, busiest first, each with some of its transactions. */
async function readParties({ services: { database } }: Pipeline): Promise<Party[]> {
  const { rows } = await database.query<Party>(
    `select account_id as account, min(merchant_id) as merchant, (array_agg(transaction_id::text))[1:$1] as ids
       from transactions group by account_id order by count(*) desc, account_id`,
    [IDS_OF_ACCOUNT],
  );
  return rows;
}

function summaryPath(random: Random): string {
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  const lastMs = random() < 0.5 ? Date.now() : Date.now() - PAST_DAYS * DAY_MS;
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const from = day(lastMs - (pick(SUMMARY_DAYS) - 1) * DAY_MS);
  return `/v1/summaries/daily?group_by=${pick(SUMMARY_DIVISIONS)}&from=${from}&to=${day(lastMs)}`;
}

type Mix = { readonly parties: readonly Party[]; readonly writes: number; readonly load: Load };

/** Requests without an end; transactions are posted once. */
function* mixedRequests({ parties, writes, load }: Mix): Generator<Buffer, void> {
  const [host, apiKey] = ['127.0.0.1', API_KEY];
  const random = createRandom(`${load.seed}/mix`);
  const draw = zipf(parties.length, 1, random);
  const { line } = transactionWriter('ndjson');
  const traffic = {
    ...load,
    transactions: 1_000_000,
    endMs: Date.now(),
    fraudRate: 0,
    seed: `${load.seed}/mix`,
  };
  const rows = trafficRows({ traffic });
  const path = (party: Party) => {
    const id = party.ids[Math.floor(random() * party.ids.length)] ?? '';
    const kind = random() * 100;
    let bound: number = READS.transaction;
    if (kind < bound) return `/v1/transactions/${id}`;
    bound += READS.account;
    if (kind < bound) return `/v1/accounts/${party.account}/profile`;
    bound += READS.merchant;
    if (kind < bound) return `/v1/merchants/${party.merchant}/profile`;
    bound += READS.summary;
    return kind < bound ? summaryPath(random) : `/v1/scores/${id}`;
  };
  for (;;) {
    const party = parties[draw()] as Party;
    if (random() * 100 >= writes) {
      yield encodeGet(host, apiKey, path(party));
      continue;
    }
    const row = rows.next().value;
    if (row === undefined) return;
    const own = {
      ...row,
      accountId: party.account,
      merchantId: party.merchant,
      createdAtMs: Date.now(),
    };
    yield encodePost(host, apiKey, line(own).trimEnd());
  }
}

type Loop = { readonly requests: number; readonly connections: number; readonly perSecond: number };

async function ask(
  pipeline: Pipeline,
  source: Iterator<Buffer>,
  { requests, connections, perSecond }: Loop,
  signal: AbortSignal,
) {
  const file = join(pipeline.folder, 'mix');
  const encoded = Array.from({ length: requests }, () => source.next().value as Buffer);
  const offsets = [...(await writeRequests(file, encoded))];
  using generator = await startGenerator(
    {
      ...{ host: '127.0.0.1', port: pipeline.apiPort, connections },
      ...{ requestsPerSecond: perSecond, live: false },
      source: { kind: 'written', file, offsets },
    },
    signal,
  );
  const before = readCpu(pipeline, generator);
  const answered = await generator.go();
  const after = readCpu(pipeline, generator);
  const us = (role: keyof typeof before) =>
    ((after[role] - before[role]) * MICROSECONDS) / answered.requests;
  const cpu = {
    ...{ api_us_per_request: us('api'), postgres_us_per_request: us('postgres') },
    ...{ redis_us_per_request: us('redis'), workers_us_per_request: us('workers') },
  };
  return { answered, cpu };
}

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
      ...closed.cpu,
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
    const text = { type: 'string' } as const;
    const own = { ...LOAD_OPTIONS, requests: text, reads: text, writes: text };
    const { values } = parseArguments(args, own);
    const load = readLoad(values, { ...MONTH_LOAD, transactions: 100_000 });
    const bounds = { min: 1, max: 10_000_000 };
    const requests = integerOption('--requests', values.requests, bounds, 40_000);
    const reads = integerOption('--reads', values.reads, bounds, 0);
    const writes = integerOption('--writes', values.writes, { min: 0, max: 100 }, 10);
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
