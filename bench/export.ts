/**
 * How many rows a second does one API export, in each form, and what do posts beside it wait? The rows come from SQL; a reader in
 * this process takes them as fast as they come and drops them. Posts are sent at a rate in an open loop, alone and beside
 * the export in turn.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArguments } from '../src/kit/command/command.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../src/rooms/exports/parameters.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import { fillHistory } from './support/history-rows.ts';
import {
  DAY_MS,
  integerList,
  LIVE_LOAD,
  type Load,
  lastMidnightMs,
  readSettings,
} from './support/load.ts';
import {
  type LoadRun,
  memoryBreaches,
  memoryTable,
  readMemory,
  runLoad,
} from './support/load-run.ts';
import { readMetrics } from './support/metrics.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { treeCpuSeconds } from './support/process-usage.ts';
import { ratioOf } from './support/rank-interval.ts';
import { spreadOf } from './support/spread.ts';

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
const P99_RATIO_MAX = 1.5;
/** At 2,000 transactions a second these are 100 posts, so that the p99 of 20 s is that of 20 posts. */
const POSTS: Load = { ...LIVE_LOAD, batch: 20, connections: 16 };
const PART_ROWS = 1_000_000;
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
    taken += format === 'parquet' ? Math.min(PART_ROWS, rows - taken) : rows;
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
  const isSlow = past.rows >= ROWS_JUDGED_MIN && perSecond < least;
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
      api_us_per_row: ((cpu.api - cpuBefore.api) * 1e6) / exported,
      postgres_us_per_row: ((cpu.postgres - cpuBefore.postgres) * 1e6) / exported,
    },
    ceilings: [],
    tables: [memoryTable(memory)],
    breaches: [
      ...(exported === past.rows ? [] : [`exported ${exported} rows of ${past.rows}`]),
      ...(isSlow ? [`exports ${perSecond.toFixed(0)} rows a second, below ${least}`] : []),
      ...memoryBreaches(memory),
    ],
  };
}

type Beside = LoadRun & {
  /** Rows that were exported meanwhile. */
  readonly exported: number;
};

/** Posts for `seconds`, beside exports of a form that follow one another, or alone. */
async function postBeside(
  pipeline: Pipeline,
  load: Load,
  format: ExportFormat | undefined,
  past: Past,
  context: BenchContext,
): Promise<Beside> {
  if (format === undefined) return { ...(await runLoad(pipeline, load, context)), exported: 0 };
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, context.signal]);
  const exporting = (async () => {
    for (;;) await takeExport(pipeline, format, past, signal);
  })().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  const sent = async () =>
    (await readMetrics(pipeline.api, context.signal, pipeline.apiKey)).sum(EXPORTED_METRIC);
  try {
    const before = await sent();
    const run = await runLoad(pipeline, load, context);
    return { ...run, exported: (await sent()) - before };
  } finally {
    stop.abort();
    await exporting;
  }
}

/** Rounds of posts alone and then beside an export of each form, so that what else the machine does falls on all of them. */
async function measureBeside(
  pipeline: Pipeline,
  load: Load,
  { formats, rounds }: { readonly formats: readonly ExportFormat[]; readonly rounds: number },
  past: Past,
  settings: Settings,
  context: BenchContext,
): Promise<BenchReport[]> {
  const arms = [undefined, ...formats];
  const runs = new Map(arms.map((arm): [typeof arm, Beside[]] => [arm, []]));
  for (let round = 0; round < rounds; round++) {
    for (const arm of arms) {
      context.output.note(`round ${round + 1} of ${rounds}, ${arm ?? 'alone'}`);
      const named = { ...load, seed: `${arm ?? 'alone'}-${round}` };
      runs.get(arm)?.push(await postBeside(pipeline, named, arm, past, context));
    }
  }
  const of = (arm: ExportFormat | undefined, percentile: 'p50' | 'p99') =>
    (runs.get(arm) ?? []).map(({ posted }) => posted.latencyMs[percentile]);
  const median = (...asked: Parameters<typeof of>) => spreadOf(of(...asked)).median;
  const rowsPerSecond = (arm: ExportFormat) =>
    spreadOf((runs.get(arm) ?? []).map(({ exported, seconds }) => exported / seconds)).median;
  const idle = (arm: ExportFormat | undefined) =>
    100 * spreadOf((runs.get(arm) ?? []).map(({ idleShare }) => idleShare)).median;
  return formats.map((format) => {
    const { ratio, low, high } = ratioOf(of(undefined, 'p99'), of(format, 'p99'));
    const last = runs.get(format)?.at(-1);
    const isBreach = past.rows >= ROWS_JUDGED_MIN && ratio > P99_RATIO_MAX;
    return {
      caseName: `posts beside ${format}`,
      inputs: { rows: past.rows, ...load, rounds, ...pipeline.services.settings },
      settings,
      versions: pipeline.services.versions,
      perSecond: load.rate,
      figures: {
        rows_per_second: rowsPerSecond(format),
        http_p50_alone_ms: median(undefined, 'p50'),
        http_p50_beside_ms: median(format, 'p50'),
        http_p99_alone_ms: median(undefined, 'p99'),
        http_p99_beside_ms: median(format, 'p99'),
        http_p99_ratio: ratio,
        http_p99_ratio_from: low,
        http_p99_ratio_to: high,
        idle_percent_alone: idle(undefined),
        idle_percent_beside: idle(format),
      },
      ceilings: [],
      tables: [
        {
          title: 'p99 by round, ms',
          rows: Array.from({ length: rounds }, (_, at) => ({
            round: String(at + 1),
            alone: (of(undefined, 'p99')[at] ?? Number.NaN).toFixed(1),
            beside: (of(format, 'p99')[at] ?? Number.NaN).toFixed(1),
          })),
        },
        cpuTitled('alone', runs.get(undefined)),
        cpuTitled('beside', runs.get(format)),
        memoryTable(last?.memory ?? []),
      ],
      breaches: [
        ...(isBreach ? [`p99 is ${ratio.toFixed(2)} times as long, above ${P99_RATIO_MAX}`] : []),
        ...memoryBreaches(last?.memory ?? []),
      ],
    };
  });
}

const cpuTitled = (arm: string, runs: readonly LoadRun[] | undefined) => ({
  title: `processor time by role, last round ${arm}`,
  rows: runs?.at(-1)?.cpu ?? [],
});

export const bench: Bench = {
  name: 'export',
  question: 'How many rows a second does one API export, and what do posts beside it wait?',
  onlyByName: 'it writes 5 million rows',
  usage: USAGE,
  run: async function* (args, context) {
    const text = { type: 'string' } as const;
    const { values } = parseArguments(args, {
      ...{ rows: { ...text, default: '5000000' }, rate: { ...text, default: '2000' } },
      ...{ seconds: { ...text, default: '20' }, rounds: { ...text, default: '5' } },
      formats: { ...text, default: EXPORT_FORMATS.join(',') },
      set: { type: 'string', multiple: true, default: [] as string[] },
    });
    const [rows = 0] = integerList('--rows', values.rows, 1, 1_000_000_000);
    const [rate = 0] = integerList('--rate', values.rate, 0, 1_000_000);
    const [seconds = 0] = integerList('--seconds', values.seconds, 1, 3600);
    const [rounds = 0] = integerList('--rounds', values.rounds, 1, 100);
    const formats = EXPORT_FORMATS.filter((one) => values.formats.split(',').includes(one));
    const settings = readSettings(values.set);
    const past = { rows, endMs: lastMidnightMs() - DAY_MS };
    const note = (line: string) => context.output.note(line);
    const prepare: NonNullable<Parameters<typeof startPipeline>[0]['prepare']> = (services) =>
      fillHistory(services, { ...PAST, ...past }, note);
    await using pipeline = await startPipeline({ workers: 1, settings, prepare }, context);
    for (const format of formats) yield await measure(pipeline, format, past, settings, context);
    if (rate === 0) return;
    const load = { ...POSTS, rate, transactions: rate * seconds };
    // The profiles of all parties are rebuilt from rows that no run has read yet.
    note('warming');
    await runLoad(pipeline, { ...load, seed: 'warming' }, context);
    yield* await measureBeside(pipeline, load, { formats, rounds }, past, settings, context);
  },
};
