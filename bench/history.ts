/**
 * The cost of the order of a past. A month is posted in batches through the API, as its file lies: in order of time, of account,
 * of merchant, or shuffled; a worker scores it. The clock runs from the first request until the last score is stored.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { COUNTED_ROWS_MAX } from '../src/core/store/tallies/merchant-tallies.ts';
import { UsageError } from '../src/kit/command/command.ts';
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
import { memoryBreaches, memoryTable, runLoad } from './support/load-run.ts';
import { readOptions, TEXT } from './support/options.ts';
import { startPipeline } from './support/pipeline.ts';
import { readScoringCounts } from './support/scoring-counts.ts';
import { readStored, storedBreaches } from './support/stored.ts';
import { NUMBER_FIELD, ORDERS, type Order } from './support/traffic.ts';

const USAGE = `--drawn N              merchants, in place of all cases below
--zipf N               exponent of Zipf's law in tenths by which the merchants of --drawn are drawn (10)
--orders NAME[,NAME]   of ${ORDERS.join(', ')}, the first of which is what the others are compared with (all)
--rows N[,N]           rows of a merchant before its late ones, in place of all other cases
--parties              accounts have devices and addresses of their own, some of them shared, and each transaction a declared number
${LOAD_USAGE}
By default: 900 merchants by Zipf's law in all orders but random, and 90 and 9 merchants, each as busy, shuffled; then a merchant that has
rows before, in batches of 100.`;

type Case = {
  readonly merchantsDrawn: number;
  readonly merchantsDrawnBy: number;
  readonly orders: readonly Order[];
  /** Bar: the rate of an order, by that of the first. */
  readonly rateMin: number;
};

const CASES: readonly Case[] = [
  {
    merchantsDrawn: 900,
    merchantsDrawnBy: 1,
    orders: ['time', 'account', 'merchant'],
    rateMin: 0.6,
  },
  { merchantsDrawn: 90, merchantsDrawnBy: 0, orders: ['time', 'random'], rateMin: 0.5 },
  { merchantsDrawn: 9, merchantsDrawnBy: 0, orders: ['time', 'random'], rateMin: 0.4 },
];

const PAST: Load = {
  ...MONTH_LOAD,
  transactions: 200_000,
  accounts: 9000,
  corridors: 1,
  days: 30,
  drawnBy: 0,
};

/** Rows of a merchant whose transactions come after all of them, and within their last days. */
const LATE_ROWS = [10_000, 100_000, 1_000_000];
/** Processor time of a late transaction, by that of a transaction in order of time. */
const LATE_COST_MAX = 3;
const TALLY_POLL_MS = 200;
const LATE: Load = { ...PAST, transactions: 20_000, batch: 100, days: 25, merchantsDrawn: 1 };

const DECLARE = `insert into metadata_fields (name, type, description, declared_by) values ($1, 'number', 'of a bench', 'bench')`;

/** Rows that came one after the other would have had their merchant tallied long ago. */
async function untilTallied(database: Client, signal: AbortSignal): Promise<void> {
  await database.query(
    `insert into tallied_merchants (merchant_id)
     select merchant_id from transactions group by 1 having count(*) > ${COUNTED_ROWS_MAX} on conflict do nothing`,
  );
  const untallied = "select from tallied_merchants where tallied_to < 'infinity'";
  while ((await database.query(untallied)).rowCount !== 0) {
    await delay(TALLY_POLL_MS, undefined, { signal });
  }
}

async function measure(
  load: Load,
  settings: Settings,
  first: BenchReport | undefined,
  context: BenchContext,
  rows: number,
): Promise<BenchReport> {
  const past = {
    ...{ rows, months: 2, rowsEachAccount: 1, rowsEachMerchant: Math.max(1, rows) },
    endMs: (load.endMs ?? lastMidnightMs()) - (load.order === 'time' ? load.days * DAY_MS : 0),
  };
  await using pipeline = await startPipeline(
    {
      ...{ workers: 1, settings },
      prepare: async (services) => {
        await fillHistory(services, past, (text) => context.output.note(text));
        if (load.ownParties) await services.database.query(DECLARE, [NUMBER_FIELD]);
      },
    },
    context,
  );
  const { services, workers } = pipeline;
  await untilTallied(services.database, context.signal);
  const run = await runLoad(pipeline, load, context);
  const { rebuilt } = await readScoringCounts(workers, context.signal);
  const stored = await readStored(services.database);
  const perSecond = run.transactions / run.seconds;
  const cpuMicros = (run.cpuSeconds * 1e6) / run.transactions;
  return {
    caseName: `${load.merchantsDrawn} merchants, order of ${load.order}${rows === 0 ? '' : `, ${rows} rows before`}`,
    inputs: { ...load, ...services.settings },
    settings,
    versions: services.versions,
    perSecond,
    figures: {
      rate_divided_by_first: perSecond / (first?.perSecond ?? perSecond),
      seconds: run.seconds,
      cpu_us_per_transaction: cpuMicros,
      cpu_divided_by_first: cpuMicros / (first?.figures['cpu_us_per_transaction'] ?? cpuMicros),
      profiles_rebuilt: rebuilt,
      ...{ lost: stored.lost, doubled: stored.doubled },
    },
    ceilings: [],
    tables: [{ title: 'processor time by role', rows: run.cpu }, memoryTable(run.memory)],
    breaches: [...storedBreaches(stored), ...memoryBreaches(run.memory)],
  };
}

async function* measureAll(
  cases: readonly { readonly load: Load; readonly rows: number }[],
  settings: Settings,
  context: BenchContext,
  { rateMin = 0, costMax = Number.POSITIVE_INFINITY }: { rateMin?: number; costMax?: number },
): AsyncGenerator<BenchReport> {
  let first: BenchReport | undefined;
  for (const { load, rows } of cases) {
    const report = await measure(load, settings, first, context, rows);
    first ??= report;
    const { rate_divided_by_first: rate = 0, cpu_divided_by_first: cost = 0 } = report.figures;
    const isBreach = rate < rateMin || cost > costMax;
    const breach = isBreach ? [`rate ${rate.toFixed(2)}, processor time ${cost.toFixed(2)}`] : [];
    yield { ...report, breaches: [...report.breaches, ...breach] };
  }
}

function readOrders(text: string): Order[] {
  return text.split(',').map((name) => {
    const order = ORDERS.find((known) => known === name);
    if (order !== undefined) return order;
    throw new UsageError(`no order '${name}'; there are: ${ORDERS.join(', ')}`);
  });
}

export const bench: Bench = {
  name: 'history',
  question: 'What does the order of a past cost?',
  onlyByName: 'takes ten minutes',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = { drawn: { or: 0, min: 0, max: 1_000_000 }, zipf: { or: 10, min: 0, max: 30 } };
    const { values, numbers } = readOptions(args, wholes, {
      ...LOAD_OPTIONS,
      ...{ orders: TEXT, rows: TEXT, parties: { type: 'boolean', default: false } },
    });
    const given = { merchantsDrawn: numbers.drawn, merchantsDrawnBy: numbers.zipf / 10 };
    const orders = readOrders(values.orders ?? ORDERS.join(','));
    const settings = readSettings(values.set);
    const cases = numbers.drawn === 0 ? CASES : [{ ...given, orders, rateMin: 0 }];
    for (const { orders: all, rateMin, ...drawn } of values.rows === undefined ? cases : []) {
      const load = { ...readLoad(values, PAST), ...drawn, ownParties: values.parties };
      const loads = all.map((order) => ({ ...load, order }));
      yield* measureAll(
        loads.map((load) => ({ load, rows: 0 })),
        ...([settings, context, { rateMin }] as const),
      );
    }
    if (numbers.drawn !== 0) return;
    const rowsOf = integerList('--rows', values.rows ?? LATE_ROWS.join(','), 1, 100_000_000);
    const load = { ...readLoad(values, LATE), ownParties: values.parties };
    const inOrder = { load: { ...load, order: 'time' as const }, rows: rowsOf[0] ?? 0 };
    const late = rowsOf.map((rows) => ({ load: { ...load, order: 'random' as const }, rows }));
    yield* measureAll([inOrder, ...late], settings, context, { costMax: LATE_COST_MAX });
  },
};
