/**
 * How many rows a second does one API export, in each form, and what do posts beside it wait? The rows come from SQL; a reader in
 * this process takes them as fast as they come and drops them. Posts are sent at a rate in an open loop, alone and beside
 * the export in turn.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  EXPORT_FORMATS,
  type ExportFormat,
  PARQUET_ROWS_MAX,
} from '../src/rooms/exports/parameters.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import { measureBeside, type OtherWork, POSTS } from './support/beside.ts';
import { fillHistory } from './support/history-rows.ts';
import { DAY_MS, LIVE_LOAD, LOAD_OPTIONS, lastMidnightMs, readSettings } from './support/load.ts';
import { memoryBreaches, memoryTable, readMemory, runLoad } from './support/load-run.ts';
import { readMetrics } from './support/metrics.ts';
import { readOptions, TEXT } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { treeCpuSeconds } from './support/process-usage.ts';

const USAGE = `--rows N           in the tables (5000000)
--rate N           posts a second beside the export; 0 is none (2000)
--seconds N        of posts, alone and beside the export, of each round (20)
--rounds N         of posts (5)
--formats F[,F]    csv,ndjson,parquet
--set NAME=VALUE   a setting of the API and the workers`;

const PAST = { months: 12, rowsEachAccount: 20, rowsEachMerchant: 80 };
/** Goals; runs on fewer rows only try the bench out. */
const ROWS_JUDGED_MIN = 1_000_000;
const ROWS_PER_SECOND_MIN = { csv: 50_000, ndjson: 50_000, parquet: 20_000 } as const;
/** Processor time of the API and Postgres together. */
const CSV_US_PER_ROW_MAX = 6.7;
const EXPORTED_METRIC = 'risk_export_rows_total';
const [NOTED_MS_MAX, POLL_MS] = [5000, 20];

type Past = { readonly rows: number; readonly endMs: number };
type Taken = { readonly rows: number; readonly bytes: number; readonly seconds: number };

/** Takes a whole export, or as many parts of it as `rows` need, or until the signal. */
async function takeExport(
  { apiPort, apiKey, services }: Pipeline,
  format: ExportFormat,
  { rows, endMs }: Past,
  signal: AbortSignal,
): Promise<Taken> {
  const startedMs = performance.now();
  const to = new Date(endMs).toISOString();
  let [bytes, taken, after] = [0, 0, ''];
  do {
    const path = `/v1/exports/transactions?format=${format}&order=asc&to=${to}${after}`;
    const response = await fetch(`http://127.0.0.1:${apiPort}${path}`, {
      headers: { authorization: `Bearer ${apiKey}` },
      signal,
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    for await (const chunk of response.body ?? []) bytes += chunk.length;
    taken += format === 'parquet' ? Math.min(PARQUET_ROWS_MAX, rows - taken) : rows;
    if (taken >= rows) break;
    const { rows: last } = await services.database.query<{ id: string }>(
      'select transaction_id as id from transactions where created_at < $1 order by transaction_id offset $2 limit 1',
      [to, taken - 1],
    );
    after = `&after=${last[0]?.id}`;
  } while (!signal.aborted);
  return { rows: taken, bytes, seconds: (performance.now() - startedMs) / 1000 };
}

/** Rows of all exports that have ended. An export notes its end after its last byte. */
async function exportedRows({ services }: Pipeline): Promise<number> {
  const deadlineMs = Date.now() + NOTED_MS_MAX;
  for (;;) {
    const { rows } = await services.database.query<{ begun: number; ended: number; rows: number }>(
      `select count(*) filter (where action = 'export.begin')::int4 as begun, count(*) filter (where action = 'export.end')::int4 as ended,
              coalesce(sum((after ->> 'rows')::float8) filter (where action = 'export.end' and after ->> 'outcome' = 'complete'), 0) as rows
         from audit_log`,
    );
    const [sum = { begun: 0, ended: 0, rows: 0 }] = rows;
    if (sum.begun === sum.ended || Date.now() > deadlineMs) return sum.rows;
    await delay(POLL_MS);
  }
}

async function measure(
  pipeline: Pipeline,
  format: ExportFormat,
  past: Past,
  settings: Settings,
  { signal, output }: BenchContext,
): Promise<BenchReport> {
  output.note(`exporting ${format}`);
  const before = await exportedRows(pipeline);
  const cpuOf = () => ({
    api: treeCpuSeconds(pipeline.api.pid),
    postgres: treeCpuSeconds(pipeline.services.postgresPid),
  });
  const cpuBefore = cpuOf();
  const { bytes, seconds } = await takeExport(pipeline, format, past, signal);
  const cpu = cpuOf();
  const exported = (await exportedRows(pipeline)) - before;
  const perSecond = exported / seconds;
  const memory = await readMemory(pipeline);
  const least = ROWS_PER_SECOND_MIN[format];
  const apiUs = ((cpu.api - cpuBefore.api) * 1e6) / exported;
  const postgresUs = ((cpu.postgres - cpuBefore.postgres) * 1e6) / exported;
  const isJudged = past.rows >= ROWS_JUDGED_MIN;
  const isDear = isJudged && format === 'csv' && apiUs + postgresUs > CSV_US_PER_ROW_MAX;
  const isSlow = isJudged && perSecond < least;
  return {
    caseName: format,
    inputs: { rows: past.rows, ...PAST, ...pipeline.services.settings },
    settings,
    versions: pipeline.services.versions,
    perSecond,
    figures: {
      rows_per_second: perSecond,
      mebibytes_per_second: bytes / seconds / 2 ** 20,
      bytes_per_row: bytes / exported,
      api_us_per_row: apiUs,
      postgres_us_per_row: postgresUs,
    },
    ceilings: [],
    tables: [memoryTable(memory)],
    breaches: [
      ...(exported === past.rows ? [] : [`exported ${exported} rows of ${past.rows}`]),
      ...(isSlow ? [`exports ${perSecond.toFixed(0)} rows a second, below ${least}`] : []),
      ...(isDear
        ? [`a row takes ${(apiUs + postgresUs).toFixed(1)} µs, above ${CSV_US_PER_ROW_MAX}`]
        : []),
      ...memoryBreaches(memory),
    ],
  };
}

/** Exports that follow one another. */
const exportsOf = (
  pipeline: Pipeline,
  format: ExportFormat,
  past: Past,
  context: BenchContext,
): OtherWork => ({
  name: format,
  async work(signal) {
    for (;;) await takeExport(pipeline, format, past, signal);
  },
  rows: async () =>
    (await readMetrics(pipeline.api, context.signal, pipeline.apiKey)).sum(EXPORTED_METRIC),
});

export const bench: Bench = {
  name: 'export',
  question: 'How many rows a second does one API export, and what do posts beside it wait?',
  onlyByName: 'it writes 5 million rows',
  usage: USAGE,
  run: async function* (args, context) {
    const { values, numbers } = readOptions(
      args,
      {
        rows: { or: 5_000_000, max: 1_000_000_000 },
        rate: { or: 2000, min: 0, max: 1_000_000 },
        seconds: { or: 20, max: 3600 },
        rounds: { or: 5, max: 100 },
      },
      { formats: { ...TEXT, default: EXPORT_FORMATS.join(',') }, set: LOAD_OPTIONS.set },
    );
    const { rows, rate, seconds, rounds } = numbers;
    const formats = EXPORT_FORMATS.filter((one) => values.formats.split(',').includes(one));
    const settings = readSettings(values.set);
    const past = { rows, endMs: lastMidnightMs() - DAY_MS };
    const note = (line: string) => context.output.note(line);
    const prepare: NonNullable<Parameters<typeof startPipeline>[0]['prepare']> = (services) =>
      fillHistory(services, { ...PAST, ...past }, note);
    await using pipeline = await startPipeline({ workers: 1, settings, prepare }, context);
    for (const format of formats) yield await measure(pipeline, format, past, settings, context);
    if (rate === 0) return;
    const load = { ...LIVE_LOAD, ...POSTS, rate, transactions: rate * seconds };
    // The profiles of all parties are rebuilt from rows that no run has read yet.
    note('warming');
    await runLoad(pipeline, { ...load, seed: 'warming' }, context);
    const others = formats.map((format) => exportsOf(pipeline, format, past, context));
    const isJudged = rows >= ROWS_JUDGED_MIN;
    yield* await measureBeside(
      pipeline,
      others,
      { load, rounds, settings, rows, isJudged },
      context,
    );
  },
};
