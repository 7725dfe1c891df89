/**
 * The ratios of the regression guard: processor time a transaction of the bare pipeline, which is frozen and gets
 * batches of 1,000, by that of the engine under each load, measured right before or after; where batches are posted as
 * fast as they are answered, the rates as well. A slow hour or a slow machine changes both sides. All ratios fall
 * when the engine gets slower.
 */
import type { BenchContext } from '../support/bench.ts';
import type { Load } from '../support/load.ts';
import { type LoadRun, runLoad, warmUp } from '../support/load-run.ts';
import { ONE_CORRIDOR, SIX_CORRIDORS } from '../support/named-loads.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { coreByJson } from './pure-core.ts';

/** By name, as the baseline has them. */
export type Ratios = Readonly<Record<string, number>>;

/**
 * All systems run all the time, each with stores of its own; those that are not measured are idle. What has idled may
 * cost more at first: without unmeasured transactions in front of each slice, the ratio of six corridors was 0.95 to
 * 1.03 in an hour in which it was 0.59 with them (virtual machine of two cores).
 */
const CONTESTANTS = ['engine', 'two workers', 'bare'] as const;
type Contestant = (typeof CONTESTANTS)[number];
type Contestants = Readonly<Record<Contestant, Pipeline>> & AsyncDisposable;

/** Turns of each system within a round, so that a disturbance of a few seconds affects all of them. */
const SLICES = 2;
export const ROUNDS_MAX = 100;

type Case = { readonly name: string; readonly contestant: Contestant; readonly load: Load };

/** Seven rounds send the engine 820,000; with twice as many its ratios fell to a third by the last round. */
const BATCHES: Load = { ...SIX_CORRIDORS, transactions: 10_000, unmeasured: 10_000 };
const BUSY_CORRIDOR: Load = { ...ONE_CORRIDOR, transactions: 10_000, unmeasured: 10_000 };
const HUNDREDS: Load = { ...SIX_CORRIDORS, batch: 100, transactions: 5000, unmeasured: 5000 };
const SINGLY = { ...SIX_CORRIDORS, batch: 1, transactions: 2000, unmeasured: 1000 };
const BARE: Case = { name: 'bare', contestant: 'bare', load: BATCHES };
const CASES: readonly Case[] = [
  { name: 'batches of 1,000', contestant: 'engine', load: BATCHES },
  { name: 'one corridor', contestant: 'engine', load: BUSY_CORRIDOR },
  { name: 'one corridor, two workers', contestant: 'two workers', load: BUSY_CORRIDOR },
  { name: 'batches of 100', contestant: 'engine', load: HUNDREDS },
  { name: 'single posts', contestant: 'engine', load: { ...SINGLY, connections: 64 } },
  {
    name: 'waited decisions, 500 a second',
    contestant: 'engine',
    load: { ...SINGLY, connections: 128, rate: 500, waitSeconds: 5 },
  },
];

type ByBare = (one: Case, unit: 'cpuSeconds' | 'seconds') => number;
type Ratio = { readonly name: string; readonly read: (bareBy: ByBare) => number };

const RATIOS: readonly Ratio[] = [
  ...CASES.map((one) => ({
    name: `processor time of the bare pipeline by the engine's: ${one.name}`,
    read: (bareBy: ByBare) => bareBy(one, 'cpuSeconds'),
  })),
  ...CASES.filter(({ load }) => load.batch === BARE.load.batch).map((one) => ({
    name: `rate by the bare pipeline's: ${one.name}`,
    read: (bareBy: ByBare) => bareBy(one, 'seconds'),
  })),
  { name: 'pure core by JSON of the same transactions', read: coreByJson },
];
export const RATIO_NAMES: readonly string[] = RATIOS.map(({ name }) => name);

export async function openContestants(context: BenchContext): Promise<Contestants> {
  const quiet = quieted(context);
  await using opened = new AsyncDisposableStack();
  const open = async (workers: number, program?: 'bare') =>
    opened.use(await startPipeline({ workers, settings: {}, program }, quiet));
  const contestants = {
    engine: await open(1),
    'two workers': await open(2),
    bare: await open(1, 'bare'),
  };
  for (const { name, contestant, load } of [BARE, ...CASES]) {
    await warmUp(contestants[contestant], { ...load, seed: name }, quiet);
  }
  const owned = opened.move();
  return { ...contestants, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type Cost = Pick<LoadRun, 'cpuSeconds' | 'seconds' | 'transactions'>;

/**
 * Measures one round. The order changes from slice to slice, as the second system finds the machine as the
 * first left it.
 */
export async function measureRatios(
  round: number,
  contestants: Contestants,
  context: BenchContext,
): Promise<Ratios> {
  const costs = new Map<Case, Cost[]>();
  for (let turn = 0; turn < SLICES; turn++) {
    const slice = round * SLICES + turn;
    const cases = [BARE, ...CASES];
    const shift = slice % cases.length;
    for (const one of [...cases.slice(shift), ...cases.slice(0, shift)]) {
      // Each slice has transactions and keys of its own.
      const load = { ...one.load, seed: `${one.name}-${slice}` };
      await warmUp(contestants[one.contestant], load, quieted(context));
      const run = await runLoad(contestants[one.contestant], load, quieted(context));
      costs.set(one, [...(costs.get(one) ?? []), run]);
    }
  }
  const each: ByBare = (one, unit) => {
    const sum = (of: keyof Cost) =>
      (costs.get(one) ?? []).reduce((total, cost) => total + cost[of], 0);
    return sum(unit) / sum('transactions');
  };
  return Object.fromEntries(
    RATIOS.map(({ name, read }) => [name, read((one, unit) => each(BARE, unit) / each(one, unit))]),
  );
}

function quieted(context: BenchContext): BenchContext {
  return { ...context, output: { ...context.output, note: () => undefined } };
}
