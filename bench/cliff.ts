/**
 * The cost of a transaction once the parties in use have outgrown Redis. Accounts and merchants have a past of twelve months: few
 * parties are drawn first, so that all are in memory, then rounds draw all parties, the first without snapshots in Postgres, the others
 * with the snapshots of the rounds before. Without a past, rounds show how parties grow out of Redis.
 */
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import { fillHistory } from './support/history-rows.ts';
import {
  integerList,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  MONTH_LOAD,
  readLoad,
  readSettings,
} from './support/load.ts';
import { type LoadRun, memoryBreaches, memoryTable, runLoad } from './support/load-run.ts';
import { readOptions, TEXT } from './support/options.ts';
import { startPipeline } from './support/pipeline.ts';
import { windowTable } from './support/run-windows.ts';
import { readScoringCounts, tierTable } from './support/scoring-counts.ts';

const USAGE = `--rows-each-account N    (60), 0 for no past
--rows-each-merchant N   (300)
--zipf N           exponent of Zipf's law in tenths by which parties are drawn; 0 draws each as often (9)
--redis-mib N      memory of Redis (256)
--rounds N         of all accounts (2)
--curve N[,N]      then so many of the accounts, as a thousandth of all, each a tenth of the transactions
${LOAD_USAGE}
By default 2,000,000 transactions of 200,000 accounts and 10,000 merchants, after a tenth as many of a hundredth of them.`;

const MONTHS = 12;
const MEBIBYTE = 2 ** 20;
const IN_MEMORY_SHARE = 100;
const FIRST_SHARE = 10;
const WINDOW_SECONDS = 10;
/**
 * The load is posted in step with the scores. An API that takes in all of it first has the machine in the first windows, and a
 * window measures the order of the work in place of its cost. More: the same in the small; fewer: polls of a second starve a worker.
 */
const AHEAD_MAX = 30_000;
/** The worst ten seconds of a round, by those with all parties in memory. */
const RATIO_MIN = 0.5;

const ROUNDS = ['snapshots empty', 'snapshots full'];

type Options = {
  readonly load: Load;
  readonly settings: Settings;
  readonly each: { readonly account: number; readonly merchant: number };
  readonly redisMebibytes: number;
  readonly rounds: number;
  /** Shares of the parties, in thousandths. */
  readonly curve: readonly number[];
};

/** Rates of parts that are whole, transactions a second. */
function ratesOf({ windows }: LoadRun): number[] {
  return windows
    .filter(({ seconds }) => seconds > WINDOW_SECONDS / 2)
    .map(({ scored, seconds }) => scored / seconds);
}

async function* measure(options: Options, context: BenchContext): AsyncGenerator<BenchReport> {
  const { load, settings, each, redisMebibytes, rounds, curve } = options;
  const past = {
    ...{ rows: load.accounts * each.account, months: MONTHS },
    ...{ rowsEachAccount: each.account, rowsEachMerchant: each.merchant },
    endMs: Date.now(),
  };
  await using pipeline = await startPipeline(
    {
      ...{ workers: 1, settings },
      prepare: async (services) => {
        await fillHistory(services, past, (text) => context.output.note(text));
        await services.redis.config('SET', 'maxmemory', redisMebibytes * MEBIBYTE);
      },
    },
    context,
  );
  const partOf = (share: number) => ({
    ...load,
    accounts: Math.ceil(load.accounts * share),
    merchants: Math.max(16, Math.ceil(load.merchants * share)),
    transactions: Math.ceil(load.transactions / FIRST_SHARE),
  });
  const few = partOf(1 / IN_MEMORY_SHARE);
  const cases: { readonly name: string; readonly load: Load; readonly warm?: Load }[] = [
    { name: 'all in memory', warm: few, load: few },
    ...Array.from({ length: rounds }, (_, at) => ({
      name: ROUNDS[at] ?? `round ${at + 1}`,
      load,
    })),
    ...curve.map((thousandths) => {
      const part = partOf(thousandths / 1000);
      return { name: `${part.accounts} accounts`, load: part };
    }),
  ];
  let bar: number | undefined;
  for (const [index, one] of cases.entries()) {
    const seeded = { ...one.load, live: true, aheadMax: AHEAD_MAX, seed: `${load.seed}-${index}` };
    if (one.warm !== undefined) {
      const transactions = few.accounts * 10;
      await runLoad(pipeline, { ...seeded, transactions, seed: `${load.seed}-warm` }, context);
    }
    const before = await readScoringCounts(pipeline.workers, context.signal);
    const run = await runLoad(pipeline, seeded, context, undefined, WINDOW_SECONDS * 1000);
    const after = await readScoringCounts(pipeline.workers, context.signal);
    const rate = seeded.transactions / run.seconds;
    bar ??= rate;
    const rates = ratesOf(run);
    const worst = Math.min(rate, ...rates);
    const ratio = worst / bar;
    yield {
      caseName: one.name,
      inputs: {
        ...seeded,
        ...past,
        redis_mebibytes: redisMebibytes,
        ...pipeline.services.settings,
      },
      settings,
      versions: pipeline.services.versions,
      perSecond: rate,
      figures: {
        end_to_end_per_second: rate,
        worst_window_per_second: worst,
        worst_window_by_all_in_memory: ratio,
        cpu_us_per_transaction: (run.cpuSeconds * 1e6) / seeded.transactions,
      },
      ceilings: [],
      tables: [
        { title: 'processor time by role', rows: run.cpu },
        windowTable(run.windows),
        tierTable(before, after),
        memoryTable(run.memory),
      ],
      breaches: [
        ...memoryBreaches(run.memory),
        ...(ratio < RATIO_MIN
          ? [`the worst ${WINDOW_SECONDS} s have ${ratio.toFixed(2)} of the rate in memory`]
          : []),
      ],
    };
  }
}

export const bench: Bench = {
  name: 'cliff',
  question: 'What does a transaction cost once the parties in use have outgrown Redis?',
  onlyByName: 'it writes 12 million rows, some 15 GB',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      'rows-each-account': { or: 60, min: 0, max: 1_000_000 },
      'rows-each-merchant': { or: 300, max: 1_000_000 },
      zipf: { or: 9, min: 0, max: 1_000_000 },
      'redis-mib': { or: 256, min: 16, max: 1_000_000 },
      rounds: { or: 2, max: 100 },
    };
    const { values, numbers } = readOptions(args, wholes, { ...LOAD_OPTIONS, curve: TEXT });
    const load = readLoad(values, {
      ...MONTH_LOAD,
      transactions: 2_000_000,
      accounts: 200_000,
      merchants: 10_000,
    });
    yield* measure(
      {
        load: { ...load, live: true, drawnBy: numbers.zipf / 10 },
        settings: readSettings(values.set),
        each: {
          account: numbers['rows-each-account'],
          merchant: numbers['rows-each-merchant'],
        },
        redisMebibytes: numbers['redis-mib'],
        rounds: numbers.rounds,
        curve: values.curve === undefined ? [] : integerList('--curve', values.curve, 1, 1000),
      },
      context,
    );
  },
};
