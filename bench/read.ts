/**
 * How many scores a second does one API read, and how long does a reader wait? Each question is asked in a
 * closed loop for the rate, then at a share of that rate in an open loop for the wait. Cold: every id, or
 * account, is asked for once, for the first time since it was stored. Hot: a few are asked for again and again.
 */
import { join } from 'node:path';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { startEcho } from './support/echo.ts';
import type { GeneratorResult } from './support/generator.ts';
import { startGenerator } from './support/generator-process.ts';
import {
  LOAD_OPTIONS,
  LOAD_USAGE,
  MONTH_LOAD,
  readLoad,
  readSettings,
  type Target,
} from './support/load.ts';
import { memoryBreaches, memoryTable, readMemory, runLoad } from './support/load-run.ts';
import { readOptions } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { encodeGet, writeRequests } from './support/requests.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--requests N       of each loop (20000); lists are asked for a tenth as often
--reads N          reads a second of the open loop, in place of its share of the closed loop's
${LOAD_USAGE}
By default 100,000 transactions are stored first; 32 connections read.`;

/** Share of the closed loop's rate: below the knee, where waiting times describe the engine. */
const OPEN_LOOP_SHARE = 0.7;
const HOT_IDS = 1000;
const HOT_ACCOUNTS = 100;
/** A list costs as much as many single reads: fewer of them make a run of the same length. */
const LIST_SHARE = 0.1;
const PAGE_ROWS = 50;

type Question = {
  readonly name: string;
  readonly requests: number;
  /** Path of the n-th request; the open loop continues where the closed one ended. */
  readonly path: (n: number) => string;
};

async function questions(
  { services: { database } }: Pipeline,
  requests: number,
): Promise<Question[]> {
  // An order that no index and no page has.
  const ids = await database.query<{ id: string }>(
    'select transaction_id as id from scores order by md5(transaction_id::text) limit $1',
    [2 * requests + HOT_IDS],
  );
  const lists = Math.ceil(requests * LIST_SHARE);
  const accounts = await database.query<{ id: string }>(
    'select account_id as id from scores group by account_id order by md5(account_id) limit $1',
    [2 * lists + HOT_ACCOUNTS],
  );
  const of = (rows: readonly { id: string }[], n: number) => rows[n % rows.length]?.id ?? '';
  const [hotIds, coldIds] = [ids.rows.slice(0, HOT_IDS), ids.rows.slice(HOT_IDS)];
  const hotAccounts = accounts.rows.slice(0, HOT_ACCOUNTS);
  const coldAccounts = accounts.rows.slice(HOT_ACCOUNTS);
  const scores = (query: string) => `/v1/transactions?status=scored&limit=${PAGE_ROWS}&${query}`;
  const list = (name: string, path: (n: number) => string) => ({ name, requests: lists, path });
  return [
    { name: 'a score by id, cold', requests, path: (n) => `/v1/scores/${of(coldIds, n)}` },
    { name: 'a score by id, hot', requests, path: (n) => `/v1/scores/${of(hotIds, n)}` },
    list('scores of an account, cold', (n) => scores(`account_id=${of(coldAccounts, n)}`)),
    list('scores of an account, hot', (n) => scores(`account_id=${of(hotAccounts, n)}`)),
    list('declined, newest first', () => scores('verdict=decline')),
    list('of a corridor, newest first', () => scores('corridor=US-EG')),
  ];
}

type Loop = { readonly from: number; readonly connections: number; readonly perSecond: number };

async function ask(
  target: Target,
  { requests, path }: Question,
  { from, connections, perSecond }: Loop,
  signal: AbortSignal,
): Promise<GeneratorResult> {
  const { apiKey, apiPort: port, folder } = target;
  const host = '127.0.0.1';
  const file = join(folder, 'reads');
  const encoded = Array.from({ length: requests }, (_, n) =>
    encodeGet(host, apiKey, path(from + n)),
  );
  const offsets = [...(await writeRequests(file, encoded))];
  using generator = await startGenerator(
    {
      ...{ host, port, connections, requestsPerSecond: perSecond, live: false },
      source: { kind: 'written', file, offsets },
    },
    signal,
  );
  return await generator.go();
}

type ReadOptions = { readonly connections: number; readonly reads: number };

async function measure(
  pipeline: Pipeline,
  question: Question,
  { connections, reads }: ReadOptions,
  { signal, output }: BenchContext,
): Promise<BenchReport> {
  output.note(`reading ${question.name}`);
  const closed = await ask(pipeline, question, { from: 0, connections, perSecond: 0 }, signal);
  const closedPerSecond = (closed.requests * 1000) / (closed.lastAnswerMs - closed.firstRequestMs);
  const perSecond = reads > 0 ? reads : Math.round(closedPerSecond * OPEN_LOOP_SHARE);
  await using echo = await startEcho(pipeline.folder, signal);
  const echoed = await ask(echo, question, { from: 0, connections, perSecond: 0 }, signal);
  const from = question.requests;
  const open = await ask(pipeline, question, { from, connections, perSecond }, signal);
  return {
    caseName: question.name,
    inputs: { requests: question.requests, connections, page_rows: PAGE_ROWS },
    settings: {},
    versions: pipeline.services.versions,
    perSecond: closedPerSecond,
    figures: {
      closed_loop_per_second: closedPerSecond,
      closed_loop_p50_ms: closed.latencyMs.p50,
      closed_loop_p99_ms: closed.latencyMs.p99,
      open_loop_offered_per_second: perSecond,
      open_loop_p50_ms: open.latencyMs.p50,
      open_loop_p95_ms: open.latencyMs.p95,
      open_loop_p99_ms: open.latencyMs.p99,
      open_loop_max_ms: open.latencyMs.max,
      open_loop_waited_for_connection_p99_ms: open.waitedMs.p99,
      resent: closed.resent + open.resent,
    },
    ceilings: [
      { name: 'HTTP with answers of that size, no store', perSecond: requestsPerSecond(echoed) },
    ],
    tables: [],
    breaches: [],
  };
}

function requestsPerSecond({ requests, firstRequestMs, lastAnswerMs }: GeneratorResult): number {
  return (requests * 1000) / (lastAnswerMs - firstRequestMs);
}

export const bench: Bench = {
  name: 'read',
  question: 'How many scores a second does one API read?',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      requests: { or: 20_000, max: 10_000_000 },
      reads: { or: 0, min: 0, max: 10_000_000 },
    };
    const { values, numbers } = readOptions(args, wholes, LOAD_OPTIONS);
    const { requests, reads } = numbers;
    const load = readLoad(values, { ...MONTH_LOAD, transactions: 100_000 });
    const connections = values.connections === undefined ? 32 : load.connections;
    await using pipeline = await startPipeline(
      { workers: 1, settings: readSettings(values.set) },
      context,
    );
    await runLoad(pipeline, { ...load, connections: MONTH_LOAD.connections }, context);
    const stored = await readStored(pipeline.services.database);
    // The API reads, and nothing else runs.
    await pipeline.stopWorkers();
    for (const question of await questions(pipeline, requests)) {
      const report = await measure(pipeline, question, { connections, reads }, context);
      const memory = await readMemory(pipeline);
      yield {
        ...report,
        settings: readSettings(values.set),
        inputs: { transactions: load.transactions, accounts: load.accounts, ...report.inputs },
        tables: [memoryTable(memory)],
        breaches: [...storedBreaches(stored), ...memoryBreaches(memory)],
      };
    }
  },
};
