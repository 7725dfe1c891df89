/**
 * The ratios of the regression guard: the engine's rate by that of something that does not change with it,
 * measured right before or after, so that a slow hour or a slow machine lowers both; and the same of processor
 * time, which neighbours on the machine disturb far less. All of them fall when the engine gets slower.
 */
import type { BenchContext } from '../support/bench.ts';
import { batchSettings, DAY_MS, type Load, lastMidnightMs, USUAL_LOAD } from '../support/load.ts';
import { runLoad } from '../support/load-run.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { coreByJson } from './pure-core.ts';

/** By name, as the baseline has them. */
export type Ratios = Readonly<Record<string, number>>;

/** Both run all the time, each with stores of its own: who is not measured waits for work. */
type Contestants = { readonly engine: Pipeline; readonly bare: Pipeline } & AsyncDisposable;

const WARM_UP_TRANSACTIONS = 20_000;
/** Turns of each within a round: what disturbs the machine for a few seconds then meets both. */
const SLICES = 4;
const BATCHES: Load = { ...USUAL_LOAD, transactions: 10_000, days: 1 };
const SINGLY: Load = { ...USUAL_LOAD, batch: 1, connections: 32, transactions: 1000, days: 1 };

/** Days of created_at behind the rounds: two loads a slice have one each, so that nothing arrives late. */
const HISTORY_DAYS = 300;
export const ROUNDS_MAX = Math.floor(HISTORY_DAYS / (2 * SLICES)) - 1;

export async function openContestants(context: BenchContext): Promise<Contestants> {
  await using opened = new AsyncDisposableStack();
  const open = async (program: 'bare' | undefined) =>
    opened.use(
      await startPipeline(
        { workers: 1, environment: program === undefined ? batchSettings(1000) : {}, program },
        quieted(context),
      ),
    );
  const engine = await open(undefined);
  const bare = await open('bare');
  for (const pipeline of [engine, bare]) {
    const endMs = lastMidnightMs() - HISTORY_DAYS * DAY_MS;
    const warmUp = { transactions: WARM_UP_TRANSACTIONS, seed: 'warm-up', endMs };
    await runLoad(pipeline, { ...BATCHES, ...warmUp }, quieted(context));
    await runLoad(pipeline, { ...SINGLY, seed: 'warm-up', endMs }, quieted(context));
  }
  const owned = opened.move();
  return { engine, bare, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type Cost = { readonly seconds: number; readonly cpuSeconds: number };
type Costs = { readonly batches: Cost; readonly singly: Cost };

async function measureSlice(
  pipeline: Pipeline,
  slice: number,
  context: BenchContext,
): Promise<Costs> {
  const cost = async (load: Load, day: number) => {
    const endMs = lastMidnightMs() - (HISTORY_DAYS - day) * DAY_MS;
    return await runLoad(pipeline, { ...load, seed: `slice-${slice}`, endMs }, quieted(context));
  };
  return {
    batches: await cost(BATCHES, 2 * slice + 1),
    singly: await cost(SINGLY, 2 * slice + 2),
  };
}

/** One round. Who comes first changes from slice to slice: the second finds the machine as the first left it. */
export async function measureRatios(
  round: number,
  { engine, bare }: Contestants,
  context: BenchContext,
): Promise<Ratios> {
  const costs = new Map<Pipeline, Costs[]>([
    [engine, []],
    [bare, []],
  ]);
  for (let turn = 0; turn < SLICES; turn++) {
    const slice = round * SLICES + turn;
    for (const pipeline of slice % 2 === 0 ? [engine, bare] : [bare, engine]) {
      costs.get(pipeline)?.push(await measureSlice(pipeline, slice, context));
    }
  }
  /** How many times as much the bare pipeline took: of the same work, so below 1. */
  const bareByEngine = (load: keyof Costs, unit: keyof Cost) => {
    const sum = (pipeline: Pipeline) =>
      (costs.get(pipeline) ?? []).reduce((total, slice) => total + slice[load][unit], 0);
    return sum(bare) / sum(engine);
  };
  return {
    "end to end by the bare pipeline's rate, batches of 1,000": bareByEngine('batches', 'seconds'),
    "end to end by the bare pipeline's rate, single posts": bareByEngine('singly', 'seconds'),
    "processor time of the bare pipeline by the engine's, batches of 1,000": bareByEngine(
      'batches',
      'cpuSeconds',
    ),
    "processor time of the bare pipeline by the engine's, single posts": bareByEngine(
      'singly',
      'cpuSeconds',
    ),
    'pure core by JSON of the same transactions': coreByJson(),
  };
}

function quieted(context: BenchContext): BenchContext {
  return { ...context, output: { ...context.output, note: () => undefined } };
}
