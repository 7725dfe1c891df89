/**
 * Does a second worker help, and a fourth? Rounds of 1, 2 and 4 workers in turn under each load, a fresh
 * Postgres and Redis each time: how fast, what each role spends, what is left idle, and what workers do again
 * because of each other.
 */
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import { LOAD_OPTIONS, LOAD_USAGE, type Load, readLoad, readSettings } from './support/load.ts';
import { memoryBreaches, runLoad, warmUp } from './support/load-run.ts';
import { readMetrics } from './support/metrics.ts';
import { NAMED_LOADS_USAGE, namedLoads } from './support/named-loads.ts';
import { readOptions, TEXT } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { type Ratio, ratioOf } from './support/rank-interval.ts';
import { spreadOf } from './support/spread.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const LOADS = 'one-corridor,six-corridors,hot-account,hot-merchant,hot-corridor';
const USAGE = `--load NAME[,NAME]  (${LOADS}):
  ${NAMED_LOADS_USAGE}
--workers N[,N]    in each round (1,2,4)
--rounds N         (7)
--batch N          transactions a request (1000)
${LOAD_USAGE}
By default 500,000 transactions after 20,000 that are not measured.`;

/** With less idle processor time than this, more workers gain nothing. */
const IDLE_SHARE_MIN = 0.06;
/** Counters of repeated work, as far as the engine has them. */
const AGAIN = /^risk_(profile_(?!appends)\w+|transactions_redelivered|entries_claimed)_total$/;

type Round = {
  readonly perSecond: number;
  readonly idleShare: number;
  /** Processor time a transaction by role, microseconds. */
  readonly cpuUs: Readonly<Record<string, number>>;
  /** Repeated work per hundred transactions, by counter. */
  readonly again: Readonly<Record<string, number>>;
  readonly breaches: readonly string[];
};

async function readAgain({ workers }: Pipeline, { signal }: BenchContext) {
  const counts: Record<string, number> = {};
  for (const worker of workers) {
    const metrics = await readMetrics(worker, signal);
    for (const name of metrics.names().filter((one) => AGAIN.test(one))) {
      counts[name] = (counts[name] ?? 0) + metrics.sum(name);
    }
  }
  return counts;
}

async function measure(
  workers: number,
  load: Load,
  settings: Settings,
  context: BenchContext,
): Promise<Round> {
  await using pipeline = await startPipeline({ workers, settings }, context);
  await warmUp(pipeline, load, context);
  const before = await readAgain(pipeline, context);
  const run = await runLoad(pipeline, load, context);
  const after = await readAgain(pipeline, context);
  const stored = await readStored(pipeline.services.database);
  const perHundred = (name: string, count: number) =>
    ((count - (before[name] ?? 0)) * 100) / load.transactions;
  return {
    perSecond: load.transactions / run.seconds,
    idleShare: run.idleShare,
    cpuUs: Object.fromEntries(run.cpu.map((row) => [row.role, Number(row.us_per_transaction)])),
    again: Object.fromEntries(
      Object.entries(after).map(([name, count]) => [name, perHundred(name, count)]),
    ),
    breaches: [...storedBreaches(stored), ...memoryBreaches(run.memory)],
  };
}

type Rounds = ReadonlyMap<number, readonly Round[]>;
type Step = { readonly from: number; readonly to: number; readonly idle: number } & Ratio;

const median = (rounds: readonly Round[], read: (round: Round) => number) =>
  spreadOf(rounds.map(read)).median;

/** Change from each number of workers to the next. */
function steps(rounds: Rounds): Step[] {
  const all = [...rounds];
  return all.slice(1).map(([to, more], at) => {
    const [from, fewer] = all[at] ?? [to, more];
    const rates = (some: readonly Round[]) => some.map(({ perSecond }) => perSecond);
    const idle = median(fewer, ({ idleShare }) => idleShare);
    return { from, to, idle, ...ratioOf(rates(fewer), rates(more)) };
  });
}

/** More workers are certainly slower, though there was idle processor time. */
export function isSlower({ high, idle }: Pick<Step, 'high' | 'idle'>): boolean {
  return high < 1 && idle >= IDLE_SHARE_MIN;
}

function toRow([workers, rounds]: readonly [number, readonly Round[]]) {
  const rate = spreadOf(rounds.map(({ perSecond }) => perSecond));
  const each = (key: 'cpuUs' | 'again', digits: number) =>
    Object.fromEntries(
      Object.keys(rounds[0]?.[key] ?? {}).map((name) => {
        const label = key === 'cpuUs' ? `${name}_us` : name.replace(/^risk_|_total$/g, '');
        return [label, median(rounds, (round) => round[key][name] ?? 0).toFixed(digits)];
      }),
    );
  return {
    cost: {
      workers,
      per_second_min: Math.round(rate.min),
      per_second_median: Math.round(rate.median),
      per_second_max: Math.round(rate.max),
      idle_percent: (100 * median(rounds, ({ idleShare }) => idleShare)).toFixed(1),
      ...each('cpuUs', 1),
    },
    again: { workers, ...each('again', 2) },
  };
}

function toReport(name: string, load: Load, settings: Settings, rounds: Rounds): BenchReport {
  const rows = [...rounds].map(toRow);
  const taken = steps(rounds);
  const rate = (some: readonly Round[]) => median(some, ({ perSecond }) => perSecond);
  const all = [...rounds.values()];
  return {
    caseName: name,
    inputs: { ...load, rounds: all[0]?.length ?? 0 },
    settings,
    versions: {},
    perSecond: Math.max(...all.map(rate)),
    figures: Object.fromEntries(
      [...rounds].map(([workers, some]) => [`scored_per_second_by_${workers}`, rate(some)]),
    ),
    ceilings: [],
    tables: [
      { title: 'by number of workers, medians', rows: rows.map(({ cost }) => cost) },
      { title: 'done again, a hundred transactions', rows: rows.map(({ again }) => again) },
      {
        title: 'how many times as fast, with its 95 % interval',
        rows: taken.map(({ from, to, ratio, low, high }) => ({
          workers: `${to} by ${from}`,
          ...{ ratio: ratio.toFixed(3), from: low.toFixed(3), to: high.toFixed(3) },
        })),
      },
    ],
    breaches: [
      ...taken
        .filter(isSlower)
        .map(({ from, to, ratio }) => `${to} workers are ${ratio.toFixed(2)} times ${from}`),
      ...all.flat().flatMap(({ breaches }) => breaches),
    ],
  };
}

export const bench: Bench = {
  name: 'workers',
  question: 'Does every worker that is added help?',
  onlyByName: 'seven rounds of five loads take two hours',
  usage: USAGE,
  run: async function* (args, context) {
    const { values, numbers: wholes } = readOptions(
      args,
      {
        workers: { or: [1, 2, 4], max: 64 },
        rounds: { or: 7, max: 100 },
        batch: { or: 1000, max: 1000 },
      },
      { ...LOAD_OPTIONS, load: { ...TEXT, default: LOADS } },
    );
    const { workers: numbers, rounds: count, batch } = wholes;
    const settings = readSettings(values.set);
    for (const { name, load: named } of namedLoads(values.load)) {
      const load = { ...readLoad(values, named), batch };
      const rounds = new Map<number, Round[]>(numbers.map((workers) => [workers, []]));
      for (let round = 0; round < count; round++) {
        // Each round begins with another number of workers, so that none always follows the same one.
        const shift = round % numbers.length;
        for (const workers of [...numbers.slice(shift), ...numbers.slice(0, shift)]) {
          const note = (what: string) =>
            context.output.note(`${name}, round ${round + 1} of ${count}, ${workers}: ${what}`);
          const told = { ...context, output: { ...context.output, note } };
          rounds.get(workers)?.push(await measure(workers, load, settings, told));
        }
      }
      yield toReport(name, load, settings, rounds);
    }
  },
};
