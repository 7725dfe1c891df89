/**
 * Does a transaction cost more when the tables are full? The same load on 0, 5 and 20 million rows in 12 monthly
 * partitions. Cost is processor time a transaction, which neighbours on the machine disturb less than its rate.
 */
import type { Client } from 'pg';
import { integerOption, parseArguments } from '../src/kit/command/command.ts';
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
import { type LoadRun, memoryBreaches, memoryTable, runLoad, warmUp } from './support/load-run.ts';
import { startPipeline } from './support/pipeline.ts';
import { type Stored, storedBreaches } from './support/stored.ts';

const USAGE = `--rows N[,N]       in the tables before, each a run of its own (0,5000000,20000000)
--rows-each-account N    (20)
--rows-each-merchant N   (80)
${LOAD_USAGE}
By default 200,000 transactions of the last day, after 20,000 that are not counted.`;

const MONTHS = 12;
/**
 * By default the same for any number of rows, so that the load meets accounts with equally long histories. It brings as
 * many to each merchant in two days; with more, rebuilding profiles would be most of the cost.
 */
const ROWS_EACH = { account: 20, merchant: 80 };
const COST_RATIO_MAX = 1.3;
/** Runs on fewer rows only try the bench out, and their noise is no breach. */
const ROWS_JUDGED_MIN = 1_000_000;

type Measured = { readonly run: LoadRun; readonly report: BenchReport };

async function measure(
  rows: number,
  each: typeof ROWS_EACH,
  load: Load,
  settings: Settings,
  context: BenchContext,
): Promise<Measured> {
  const { output } = context;
  const note = (text: string) => output.note(text);
  const past = {
    ...{ rows, months: MONTHS },
    ...{ rowsEachAccount: each.account, rowsEachMerchant: each.merchant },
    endMs: (load.endMs ?? lastMidnightMs()) - load.days * DAY_MS,
  };
  await using pipeline = await startPipeline(
    { workers: 1, settings, prepare: (services) => fillHistory(services, past, note) },
    context,
  );
  const { database } = pipeline.services;
  const { rows: sizes } = await database.query<{ bytes: number }>(
    'select pg_database_size(current_database())::float8 as bytes',
  );
  await warmUp(pipeline, load, context);
  const run = await runLoad(pipeline, load, context);
  const { lost, doubled } = await readRun(database, run.posted.firstRequestMs);
  const report: BenchReport = {
    caseName: `${rows.toLocaleString('en-US')} rows before`,
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
      cpu_us_per_transaction: costUs(run, load),
      database_mebibytes: Math.round((sizes[0]?.bytes ?? 0) / 2 ** 20),
      ...{ lost, doubled },
    },
    ceilings: [],
    tables: [{ title: 'processor time by role', rows: run.cpu }, memoryTable(run.memory)],
    breaches: [...storedBreaches({ lost, doubled }), ...memoryBreaches(run.memory)],
  };
  return { run, report };
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

function costUs({ cpuSeconds }: LoadRun, { transactions }: Load): number {
  return (cpuSeconds * 1e6) / transactions;
}

export const bench: Bench = {
  name: 'growth',
  question: 'Does a transaction cost more when the tables are full?',
  onlyByName: 'it writes 20 million rows, some 20 GB',
  usage: USAGE,
  run: async function* (args, context) {
    const { values } = parseArguments(args, {
      ...LOAD_OPTIONS,
      rows: { type: 'string', default: '0,5000000,20000000' },
      'rows-each-account': { type: 'string' },
      'rows-each-merchant': { type: 'string' },
    });
    const load = readLoad(values, {
      ...MONTH_LOAD,
      transactions: 200_000,
      unmeasured: 20_000,
      days: 1,
    });
    const settings = readSettings(values.set);
    const rowsEach = (party: keyof typeof ROWS_EACH) => {
      const flag = `rows-each-${party}` as const;
      return integerOption(`--${flag}`, values[flag], { min: 1, max: 1_000_000 }, ROWS_EACH[party]);
    };
    const each = { account: rowsEach('account'), merchant: rowsEach('merchant') };
    let firstCost: number | undefined;
    for (const rows of integerList('--rows', values.rows, 0, 1_000_000_000)) {
      const { run, report } = await measure(rows, each, load, settings, context);
      const cost = costUs(run, load);
      firstCost ??= cost;
      const ratio = cost / firstCost;
      const isBreach = rows >= ROWS_JUDGED_MIN && ratio > COST_RATIO_MAX;
      yield {
        ...report,
        figures: { ...report.figures, cost_ratio_to_first_run: ratio },
        breaches: [
          ...report.breaches,
          ...(isBreach ? [`costs ${ratio.toFixed(2)} times as much, above ${COST_RATIO_MAX}`] : []),
        ],
      };
    }
  },
};
