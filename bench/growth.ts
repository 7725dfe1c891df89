/**
 * Does a transaction cost more when the tables are full? The same load on 0.4, 5 and 20 million rows in 12 monthly partitions, then on
 * one number of rows with shorter and longer pasts. A past is what the load would have sent in the time before, with the same
 * habits at the same pace, and is the same in tables of every size; the other rows are of strangers. Cost is processor
 * time a transaction, which neighbours on the machine disturb less than its rate. Each run is told part by part, as rebuilds, pages
 * touched for the first time and evictions come and go within a run. It cannot be told from outside how long a touch or an
 * eviction takes by itself, as both happen within statements that do other work.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { ACCOUNT_HISTORY_DAYS } from '../src/core/domain/history.ts';
import { integerOption, parseArguments, UsageError } from '../src/kit/command/command.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import { fillHistory, type HistoryRows } from './support/history-rows.ts';
import {
  DAY_MS,
  integerList,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  lastMidnightMs,
  MONTH_LOAD,
  readLoad,
  readSettings,
  trafficOf,
} from './support/load.ts';
import {
  type LoadRun,
  memoryBreaches,
  memoryTable,
  runLoad,
  unmeasuredOf,
  warmUp,
} from './support/load-run.ts';
import { readMetrics } from './support/metrics.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { costOf, wholeOf, windowTable } from './support/run-windows.ts';
import { flaggedShare, readScoringCounts, tierTable } from './support/scoring-counts.ts';
import { type Stored, storedBreaches } from './support/stored.ts';

const USAGE = `--rows N[,N]       in the tables before, each a run of its own (400000,5000000,20000000)
--past N           rows of an account before, on average, in those runs (20)
--pasts N[,N]      rows of an account before in tables of one size, each a run of its own (0,20,80)
--pasts-rows N     in the tables of those runs (5000000)
${LOAD_USAGE}
By default 200,000 transactions of 20 days, so that an account acts every second day, after 60,000 that are not counted.`;

const MONTHS = 12;
/** Rows of each stranger. */
const STRANGERS = { rowsEachAccount: 20, rowsEachMerchant: 80, strangers: 'other_' };
/** At this pace a past of 80 rows an account lies within the days that features look back. */
const DAYS = 20;
const COST_RATIO_MAX = 1.1;
/** Flagged transactions cost more, so runs whose shares differ by more points do not compare what the bench asks for. */
const FLAGGED_POINTS_MAX = 2;
/** Runs on fewer rows only try the bench out, and their noise is no breach. */
const ROWS_JUDGED_MIN = 1_000_000;
const PART_MS = 5000;
const FILTERS_TIMEOUT_MS = 120_000;
const FILTERS_POLL_MS = 250;

type Past = {
  /** Rows in the tables before the load. */
  readonly rows: number;
  /** Rows of an account of the load among them, on average. */
  readonly each: number;
};

type Measured = {
  readonly past: Past;
  readonly run: LoadRun;
  readonly flaggedPercent: number;
  readonly report: BenchReport;
};

/** The load's parties act in the past as they do in the load: as often, with the same habits. */
function pastOf({ each }: Past, load: Load): Load {
  // The past ends before the unmeasured transactions.
  const first = unmeasuredOf(load);
  const transactions = each * load.accounts;
  return {
    ...{ ...load, transactions, seed: `${load.seed}-past` },
    days: (load.days * transactions) / load.transactions,
    endMs: (first.endMs ?? lastMidnightMs()) - first.days * DAY_MS,
  };
}

function historyOf(past: Past, load: Load): HistoryRows {
  const own = pastOf(past, load);
  return {
    ...{ ...STRANGERS, months: MONTHS, rows: past.rows - own.transactions },
    endMs: own.endMs ?? lastMidnightMs(),
    own: trafficOf(own),
  };
}

/** An API looks keys up in the slices whose filters it has not built yet. */
async function untilFiltered({ api, apiKey }: Pipeline, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + FILTERS_TIMEOUT_MS;
  for (;;) {
    const { sum } = await readMetrics(api, signal, apiKey);
    const unfiltered = sum('risk_idempotency_slices_unfiltered');
    if (unfiltered === 0 && sum('risk_idempotency_filter_bytes') > 0) return;
    if (performance.now() > deadline) throw new Error(`${unfiltered} slices have no filter`);
    await delay(FILTERS_POLL_MS, undefined, { signal });
  }
}

async function measure(
  past: Past,
  load: Load,
  settings: Settings,
  context: BenchContext,
): Promise<Measured> {
  const { rows, each } = past;
  const history = historyOf(past, load);
  const note = (text: string) => context.output.note(text);
  await using pipeline = await startPipeline(
    { workers: 1, settings, prepare: (services) => fillHistory(services, history, note) },
    context,
  );
  const { database } = pipeline.services;
  const { rows: sizes } = await database.query<{ bytes: number }>(
    'select pg_database_size(current_database())::float8 as bytes',
  );
  await warmUp(pipeline, load, context);
  // Filters are built when the first keys are claimed.
  if (rows > 0 && load.unmeasured > 0) await untilFiltered(pipeline, context.signal);
  const readCounts = () => readScoringCounts(pipeline.workers, context.signal);
  const before = await readCounts();
  const run = await runLoad(pipeline, load, context, undefined, PART_MS);
  const after = await readCounts();
  const flaggedPercent = 100 * flaggedShare(before, after);
  const { lost, doubled } = await readRun(database, run.posted.firstRequestMs);
  const report: BenchReport = {
    caseName: `${rows.toLocaleString('en-US')} rows before, ${each} an account`,
    inputs: {
      ...load,
      rows,
      rows_each_account: each,
      past_days: pastOf(past, load).days,
      months: MONTHS,
      workers: 1,
      ...pipeline.services.settings,
    },
    settings,
    versions: pipeline.services.versions,
    perSecond: load.transactions / run.seconds,
    figures: {
      end_to_end_per_second: load.transactions / run.seconds,
      cpu_us_per_transaction: costUs(run),
      flagged_percent: flaggedPercent,
      database_mebibytes: Math.round((sizes[0]?.bytes ?? 0) / 2 ** 20),
      ...{ lost, doubled },
    },
    ceilings: [],
    tables: [
      { title: 'processor time by role', rows: run.cpu },
      windowTable(run.windows),
      tierTable(before, after),
      memoryTable(run.memory),
    ],
    breaches: [...storedBreaches({ lost, doubled }), ...memoryBreaches(run.memory)],
  };
  return { past, run, flaggedPercent, report };
}

/** Only this run's transactions count: the rows before it are many and have no scores to lose. */
async function readRun(
  database: Client,
  firstRequestMs: number,
): Promise<Pick<Stored, 'lost' | 'doubled'>> {
  const { rows } = await database.query<{ lost: number; doubled: number }>(
    `select count(*) filter (where scores = 0)::int as lost,
            coalesce(sum(scores - 1) filter (where scores > 1), 0)::int as doubled
       from (select count(s.transaction_id) as scores
               from transactions t left join scores s using (transaction_id, created_at)
              where t.received_at >= to_timestamp($1::float8 / 1000)
              group by transaction_id) of_each`,
    [firstRequestMs],
  );
  return rows[0] ?? { lost: Number.NaN, doubled: Number.NaN };
}

function costUs({ cpuSeconds, transactions }: LoadRun): number {
  return (cpuSeconds * 1e6) / transactions;
}

/** The cost of a run by that of the first one that it is compared with. */
function compare({ report, run, past, flaggedPercent }: Measured, first: Measured): BenchReport {
  const ratio = costUs(run) / costUs(first.run);
  const points = flaggedPercent - first.flaggedPercent;
  const isJudged = past.each === first.past.each && past.rows >= ROWS_JUDGED_MIN;
  const breaches = [...report.breaches];
  if (isJudged && ratio > COST_RATIO_MAX) {
    breaches.push(`costs ${ratio.toFixed(2)} times as much, above ${COST_RATIO_MAX}`);
  }
  if (Math.abs(points) > FLAGGED_POINTS_MAX) {
    breaches.push(
      `flags ${flaggedPercent.toFixed(1)} %, and the first run ${first.flaggedPercent.toFixed(1)} %`,
    );
  }
  return { ...report, figures: { ...report.figures, cost_ratio_to_first_run: ratio }, breaches };
}

function toRow({ past: { rows, each }, run, flaggedPercent }: Measured) {
  return {
    ...{ rows: rows.toLocaleString('en-US'), rows_each_account: each },
    flagged_percent: flaggedPercent.toFixed(1),
    ...costOf(wholeOf(run.windows)),
  };
}

type Plan = {
  readonly sizes: readonly Past[];
  readonly pasts: readonly Past[];
  readonly load: Load;
  readonly settings: Settings;
};

function readPlan(args: string[]): Plan {
  const { values } = parseArguments(args, {
    ...LOAD_OPTIONS,
    rows: { type: 'string', default: '400000,5000000,20000000' },
    past: { type: 'string' },
    pasts: { type: 'string', default: '0,20,80' },
    'pasts-rows': { type: 'string' },
  });
  const counted = { transactions: 200_000, unmeasured: 60_000 };
  const sent = readLoad(values, { ...MONTH_LOAD, ...counted, days: DAYS });
  const load = { ...sent, habits: sent.seed };
  const each = integerOption('--past', values.past, { min: 0, max: 1_000_000 }, 20);
  const sizes = integerList('--rows', values.rows, 0, 1_000_000_000).map((rows) => ({
    rows,
    each: rows === 0 ? 0 : each,
  }));
  const bounds = { min: 1, max: 1_000_000_000 };
  const rows = integerOption('--pasts-rows', values['pasts-rows'], bounds, 5_000_000);
  const pasts = integerList('--pasts', values.pasts, 0, 1_000_000).map((one) => ({
    rows,
    each: one,
  }));
  for (const one of [...sizes, ...pasts]) requirePast(one, load);
  return { sizes, pasts, load, settings: readSettings(values.set) };
}

function requirePast(past: Past, load: Load): void {
  const { transactions, days } = pastOf(past, load);
  if (past.rows < transactions) {
    throw new UsageError(`${past.rows} rows are too few for a past of ${transactions}`);
  }
  // Features see no older rows, and the months that are filled end there.
  if (days > ACCOUNT_HISTORY_DAYS) {
    throw new UsageError(
      `at the load's pace ${past.each} rows an account take ${days} days, more than ${ACCOUNT_HISTORY_DAYS}`,
    );
  }
}

async function* run(args: string[], context: BenchContext): AsyncGenerator<BenchReport> {
  const { sizes, pasts, load, settings } = readPlan(args);
  const known = new Map<string, Measured>();
  const series: Measured[][] = [];
  for (const cases of [sizes, pasts]) {
    const measured: Measured[] = [];
    for (const past of cases) {
      const name = JSON.stringify(past);
      const before = known.get(name);
      const one = before ?? (await measure(past, load, settings, context));
      known.set(name, one);
      measured.push(one);
      if (before === undefined) yield compare(one, measured[0] ?? one);
    }
    series.push(measured);
  }
  const [bySize = [], byPast = []] = series.map((some) => some.map(toRow));
  yield {
    caseName: 'together',
    ...{ inputs: {}, settings, versions: {}, perSecond: Number.NaN, figures: {} },
    ceilings: [],
    tables: [
      { title: 'equal pasts, a transaction', rows: bySize },
      { title: 'tables of one size, a transaction', rows: byPast },
    ],
    breaches: [],
  };
}

export const bench: Bench = {
  name: 'growth',
  question: 'Does a transaction cost more when the tables are full?',
  onlyByName: 'it writes 20 million rows, some 20 GB',
  usage: USAGE,
  run,
};
