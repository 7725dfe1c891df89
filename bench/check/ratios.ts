/**
 * The ratios of the regression guard: the engine's rate by that of something that does not change with it,
 * measured right before or after, so that a slow hour or a slow machine lowers both; and the same of processor
 * time, which neighbours on the machine disturb far less. All of them fall when the engine gets slower.
 */

import { BARE_PROGRAM } from '../bare/program.ts';
import type { BenchContext } from '../support/bench.ts';
import { batchSettings, type Load, USUAL_LOAD } from '../support/load.ts';
import { runLoad } from '../support/load-run.ts';
import { startPipeline } from '../support/pipeline.ts';
import { jsonPerSecond, scoredPerSecond } from './pure-core.ts';

/** By name, as the baseline has them. */
export type Ratios = Readonly<Record<string, number>>;

const WARM_UP: Load = { ...USUAL_LOAD, transactions: 5000, seed: 'warm-up' };
const BATCHES: Load = { ...USUAL_LOAD, transactions: 20_000 };
const SINGLY: Load = {
  ...USUAL_LOAD,
  batch: 1,
  connections: 32,
  transactions: 4000,
  seed: 'singly',
};

type Cost = { readonly perSecond: number; readonly cpuSeconds: number };
type Costs = { readonly batches: Cost; readonly singly: Cost };

async function pipelineCosts(
  program: readonly string[] | undefined,
  context: BenchContext,
): Promise<Costs> {
  const { log, signal } = context;
  await using pipeline = await startPipeline({
    ...{ workers: 1, environment: program === undefined ? batchSettings(1000) : {} },
    ...{ program, log, signal, onProgress: () => undefined },
  });
  const quiet = { ...context, output: { ...context.output, note: () => undefined } };
  await runLoad(pipeline, WARM_UP, quiet);
  const cost = async (load: Load) => {
    const { seconds, cpuSeconds } = await runLoad(pipeline, load, quiet);
    return { perSecond: load.transactions / seconds, cpuSeconds };
  };
  return { batches: await cost(BATCHES), singly: await cost(SINGLY) };
}

/** One round. Which comes first changes from round to round: the second finds the machine as the first left it. */
export async function measureRatios(round: number, context: BenchContext): Promise<Ratios> {
  const isEven = round % 2 === 0;
  const first = await pipelineCosts(isEven ? undefined : BARE_PROGRAM, context);
  const second = await pipelineCosts(isEven ? BARE_PROGRAM : undefined, context);
  const [engine, bare] = isEven ? [first, second] : [second, first];
  const rate = (load: keyof Costs) => engine[load].perSecond / bare[load].perSecond;
  const thrift = (load: keyof Costs) => bare[load].cpuSeconds / engine[load].cpuSeconds;
  return {
    "end to end by the bare pipeline's rate, batches of 1,000": rate('batches'),
    "end to end by the bare pipeline's rate, single posts": rate('singly'),
    "processor time of the bare pipeline by the engine's, batches of 1,000": thrift('batches'),
    "processor time of the bare pipeline by the engine's, single posts": thrift('singly'),
    'pure core by JSON of the same transactions': scoredPerSecond() / jsonPerSecond(),
  };
}
