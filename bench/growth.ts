/**
 * Does a transaction cost more when the tables are full? The same load on 0.4, 5 and 20 million rows in 12 monthly partitions, whose
 * accounts have equally many rows, and its merchants; then on one number of rows with shorter and longer pasts. Cost is processor
 * time a transaction, which neighbours on the machine disturb less than its rate. Each run is told part by part, as pages touched for
 * the first time and evictions come and go within a run. It cannot be told from outside how long a touch or an eviction takes by
 * itself, as both happen within statements that do other work.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { integerOption, parseArguments, UsageError } from '../src/kit/command/command.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import { fillHistory } from './support/history-rows.ts';
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
--rows-each-account N    (20)
--rows-each-merchant N   (80)
--pasts N[,N]      rows of an account in tables of one size, each a run of its own; merchants have four times as
                   many, and with 0 the load's parties have none (0,20,80)
--pasts-rows N     in the tables of those runs (5000000)
${LOAD_USAGE}
By default 200,000 transactions of the last day, after 20,000 that are not counted.`;

const MONTHS = 12;
/**
 * By default the same for any number of rows, so that the load meets accounts with equally long histories. It brings as
 * many to each merchant in two days; with more, rebuilding profiles would be most of the cost.
 */
const ROWS_EACH = { account: 20, merchant: 80 };
const MERCHANT_TIMES = 4;
const COST_RATIO_MAX = 1.1;
/** Runs on fewer rows only try the bench out, and their noise is no breach. */
const ROWS_JUDGED_MIN = 1_000_000;
const PART_MS = 5000;
const FILTERS_TIMEOUT_MS = 120_000;
const FILTERS_POLL_MS = 250;

/** Rows of each party; 0 where the parties of the load have none. */
type RowsEach = typeof ROWS_EACH;
type Past = { readonly rows: number; readonly each: RowsEach };

type Measured = {
  readonly past: Past;
  readonly run: LoadRun;
  /** Flagged transactions cost more, and a past changes how many there are. */
  readonly flaggedPercent: number;
  readonly report: BenchReport;
};

function historyOf({ rows, each }: Past, load: Load) {
  // The past ends before the unmeasured transactions.
  const first = unmeasuredOf(load);
  const fromMs = (first.endMs ?? lastMidnightMs()) - first.days * DAY_MS;
  const theirs = each.account === 0 ? ROWS_EACH : each;
  return {
    ...{ rows, months: MONTHS, endMs: fromMs },
    ...{ rowsEachAccount: theirs.account, rowsEachMerchant: theirs.merchant },
    ...(each.account === 0 ? { strangers: 'other_' } : {}),
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
    caseName: `${rows.toLocaleString('en-US')} rows before, ${each.account} an account`,
    inputs: {
      ...load,
      rows,
      rows_each_account: each.account,
      rows_each_merchant: each.merchant,
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
function compare({ report, run, past }: Measured, first: Measured): BenchReport {
  const ratio = costUs(run) / costUs(first.run);
  const isSize = past.each.account === first.past.each.account;
  const isBreach = isSize && past.rows >= ROWS_JUDGED_MIN && ratio > COST_RATIO_MAX;
  return {
    ...report,
    figures: { ...report.figures, cost_ratio_to_first_run: ratio },
    breaches: [
      ...report.breaches,
      ...(isBreach ? [`costs ${ratio.toFixed(2)} times as much, above ${COST_RATIO_MAX}`] : []),
    ],
  };
}

function toRow({ past: { rows, each }, run, flaggedPercent }: Measured) {
  return {
    rows: rows.toLocaleString('en-US'),
    ...{ rows_each_account: each.account, rows_each_merchant: each.merchant },
    ...costOf(wholeOf(run.windows)),
    flagged_percent: flaggedPercent.toFixed(1),
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
    'rows-each-account': { type: 'string' },
    'rows-each-merchant': { type: 'string' },
    pasts: { type: 'string', default: '0,20,80' },
    'pasts-rows': { type: 'string' },
  });
  const counted = { transactions: 200_000, unmeasured: 20_000 };
  const load = readLoad(values, { ...MONTH_LOAD, ...counted, days: 1 });
  const rowsEach = (party: keyof RowsEach) => {
    const flag = `rows-each-${party}` as const;
    return integerOption(`--${flag}`, values[flag], { min: 1, max: 1_000_000 }, ROWS_EACH[party]);
  };
  const each = { account: rowsEach('account'), merchant: rowsEach('merchant') };
  const sizes = integerList('--rows', values.rows, 0, 1_000_000_000).map((rows) => ({
    rows,
    each,
  }));
  const bounds = { min: 1, max: 1_000_000_000 };
  const rows = integerOption('--pasts-rows', values['pasts-rows'], bounds, 5_000_000);
  const pasts = integerList('--pasts', values.pasts, 0, 1_000_000).map((account) => ({
    rows,
    each: { account, merchant: MERCHANT_TIMES * account },
  }));
  for (const one of [...sizes, ...pasts]) requireParties(one, load);
  return { sizes, pasts, load, settings: readSettings(values.set) };
}

/** Otherwise a part of the load's parties has no past, and the runs compare different things. */
function requireParties({ rows, each }: Past, { accounts, merchants }: Load): void {
  const least = Math.max(accounts * each.account, merchants * each.merchant);
  if (rows === 0 || rows >= least) return;
  throw new UsageError(
    `${rows} rows are too few for ${accounts} accounts and ${merchants} merchants: ${least} are the least`,
  );
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
