/**
 * Measures what Postgres, Redis and HTTP do on this machine without the engine, and what a pipeline of the same
 * shape does that writes the same bytes to the same tables without scoring (bench/bare). Every other figure is
 * read against these bounds.
 */
import { parseArguments, UsageError } from '../src/kit/command/command.ts';
import { measureBare } from './bare/measure.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { copyCeiling } from './support/ceilings.ts';
import { startEcho } from './support/echo.ts';
import {
  integerList,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  loadName,
  MONTH_LOAD,
  readLoad,
  startLoad,
} from './support/load.ts';
import { madeBatches } from './support/made-rows.ts';
import { postgresCeilings } from './support/postgres-ceilings.ts';
import { redisCeilings } from './support/redis-ceilings.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { startServices } from './support/services.ts';

const USAGE = `--batch N[,N]      transactions a request, for HTTP and the bare pipeline (1000,100,1)
--only NAME        stores, http or bare
${LOAD_USAGE}
By default 100,000 transactions; 50,000 in batches of 100; 20,000 singly over 32 connections.`;

const PARTS = ['stores', 'http', 'bare'] as const;

function loadByDefault(batch: number): Load {
  if (batch >= 1000) return { ...MONTH_LOAD, batch, transactions: 100_000 };
  if (batch > 1) return { ...MONTH_LOAD, batch, transactions: 50_000 };
  return { ...MONTH_LOAD, batch, transactions: 20_000, connections: 32 };
}

async function measureStores(load: Load, context: BenchContext): Promise<BenchReport[]> {
  const { log, signal, output } = context;
  await using folder = await makeRunFolder('risk-bench');
  const onProgress = (text: string) => output.note(text);
  await using services = await startServices({
    ...{ dataDir: `${folder.path}/data`, log, signal, onProgress },
  });
  output.note('making rows');
  const batches = [...madeBatches(load)];
  output.note('measuring Postgres');
  const postgres = await postgresCeilings(services.databaseUrl, batches);
  const copy = await copyCeiling(services.database, `${folder.path}/rows`);
  output.note('measuring Redis');
  const transactions = batches.flatMap((batch) => batch.transactions);
  const redis = await redisCeilings(services.redis, transactions);
  const { versions, settings } = services;
  const shared = {
    inputs: { ...load, ...settings },
    settings: {},
    versions,
    ceilings: [],
    tables: [],
  };
  return [
    {
      ...{ ...shared, caseName: 'Postgres', perSecond: copy.perSecond, breaches: [] },
      figures: { copy_rows_per_second: copy.perSecond, ...postgres },
    },
    {
      ...{ ...shared, caseName: 'Redis', breaches: [] },
      perSecond: redis['append_script_per_second'] ?? Number.NaN,
      figures: redis,
    },
  ];
}

async function measureHttp(load: Load, { signal, output }: BenchContext): Promise<BenchReport> {
  await using folder = await makeRunFolder('risk-bench');
  await using echo = await startEcho(folder.path, signal);
  output.note('posting to the echo');
  using generator = await startLoad(echo, load, signal);
  const posted = await generator.go();
  const seconds = (posted.lastAnswerMs - posted.firstRequestMs) / 1000;
  return {
    caseName: `HTTP and JSON, ${loadName(load)}`,
    inputs: { ...load },
    settings: {},
    versions: {},
    perSecond: posted.accepted / seconds,
    figures: {
      echoed_per_second: posted.accepted / seconds,
      requests_per_second: posted.requests / seconds,
      http_p50_ms: posted.latencyMs.p50,
      http_p99_ms: posted.latencyMs.p99,
    },
    ceilings: [],
    tables: [],
    breaches: [],
  };
}

export const bench: Bench = {
  name: 'ceiling',
  question: 'What do Postgres, Redis and HTTP do here with no engine?',
  usage: USAGE,
  run: async function* (args, context) {
    const text = { type: 'string' } as const;
    const { values } = parseArguments(args, {
      ...LOAD_OPTIONS,
      batch: { ...text, default: '1000,100,1' },
      only: text,
    });
    const wants = (part: (typeof PARTS)[number]) =>
      values.only === undefined || values.only === part;
    if (!PARTS.some(wants)) throw new UsageError(`--only is one of ${PARTS.join(', ')}`);
    const loads = integerList('--batch', values.batch, 1, 1000).map((batch) =>
      readLoad(values, loadByDefault(batch)),
    );
    if (wants('stores')) yield* await measureStores(readLoad(values, loadByDefault(1000)), context);
    for (const load of loads) if (wants('http')) yield await measureHttp(load, context);
    for (const load of loads) if (wants('bare')) yield await measureBare(load, context);
  },
};
