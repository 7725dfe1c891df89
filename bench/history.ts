/**
 * What does the order of a past cost? A month is posted in batches through the API, as its file lies: in order of time, of account,
 * of merchant, or shuffled; a worker scores it. The clock runs from the first request until the last score is stored.
 */
import { UsageError } from '../src/kit/command/command.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import {
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  MONTH_LOAD,
  readLoad,
  readSettings,
} from './support/load.ts';
import { memoryBreaches, memoryTable, runLoad } from './support/load-run.ts';
import { readOptions, TEXT } from './support/options.ts';
import { startPipeline } from './support/pipeline.ts';
import { readScoringCounts } from './support/scoring-counts.ts';
import { readStored, storedBreaches } from './support/stored.ts';
import { ORDERS, type Order } from './support/traffic.ts';

const USAGE = `--drawn N              merchants, in place of all cases below
--zipf N               exponent of Zipf's law in tenths by which the merchants of --drawn are drawn (10)
--orders NAME[,NAME]   of ${ORDERS.join(', ')}, the first of which is what the others are compared with (all)
${LOAD_USAGE}
By default: 900 merchants by Zipf's law in all orders but random, and 90 and 9 merchants, each as busy, shuffled.`;

type Case = {
  readonly merchantsDrawn: number;
  readonly merchantsDrawnBy: number;
  readonly orders: readonly Order[];
};

const CASES: readonly Case[] = [
  { merchantsDrawn: 900, merchantsDrawnBy: 1, orders: ['time', 'account', 'merchant'] },
  { merchantsDrawn: 90, merchantsDrawnBy: 0, orders: ['time', 'random'] },
  { merchantsDrawn: 9, merchantsDrawnBy: 0, orders: ['time', 'random'] },
];

const PAST: Load = {
  ...MONTH_LOAD,
  transactions: 200_000,
  accounts: 9000,
  corridors: 1,
  days: 30,
  drawnBy: 0,
};

async function measure(
  load: Load,
  settings: Settings,
  inOrder: BenchReport | undefined,
  context: BenchContext,
): Promise<BenchReport> {
  await using pipeline = await startPipeline({ workers: 1, settings }, context);
  const { services, workers } = pipeline;
  const run = await runLoad(pipeline, load, context);
  const { rebuilt } = await readScoringCounts(workers, context.signal);
  const stored = await readStored(services.database);
  const perSecond = run.transactions / run.seconds;
  const cpuMicros = (run.cpuSeconds * 1e6) / run.transactions;
  return {
    caseName: `${load.merchantsDrawn} merchants, order of ${load.order}`,
    inputs: { ...load, ...services.settings },
    settings,
    versions: services.versions,
    perSecond,
    figures: {
      rate_divided_by_first: perSecond / (inOrder?.perSecond ?? perSecond),
      seconds: run.seconds,
      cpu_us_per_transaction: cpuMicros,
      cpu_divided_by_first: cpuMicros / (inOrder?.figures['cpu_us_per_transaction'] ?? cpuMicros),
      profiles_rebuilt: rebuilt,
      ...{ lost: stored.lost, doubled: stored.doubled },
    },
    ceilings: [],
    tables: [{ title: 'processor time by role', rows: run.cpu }, memoryTable(run.memory)],
    breaches: [...storedBreaches(stored), ...memoryBreaches(run.memory)],
  };
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
    const { values, numbers } = readOptions(args, wholes, { ...LOAD_OPTIONS, orders: TEXT });
    const given = { merchantsDrawn: numbers.drawn, merchantsDrawnBy: numbers.zipf / 10 };
    const orders = readOrders(values.orders ?? ORDERS.join(','));
    const cases = numbers.drawn === 0 ? CASES : [{ ...given, orders }];
    for (const { orders: all, ...drawn } of cases) {
      let inOrder: BenchReport | undefined;
      for (const order of all) {
        const load = { ...readLoad(values, PAST), ...drawn, order };
        const report = await measure(load, readSettings(values.set), inOrder, context);
        inOrder ??= report;
        yield report;
      }
    }
  },
};
