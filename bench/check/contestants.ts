/**
 * The systems that the regression guard compares, each with stores of its own. Those that are not measured are idle, and an idle engine
 * takes some 15 % of a processor, so only those run that are compared with each other. What has idled may cost more at first: without
 * unmeasured transactions in front of each run, the ratio of six corridors was 0.95 to 1.03 in an hour in which it was 0.59 with them
 * (virtual machine of two cores).
 */
import type { BenchContext } from '../support/bench.ts';
import { type Echo, startEcho } from '../support/echo.ts';
import { fillHistory } from '../support/history-rows.ts';
import { type Load, startLoad } from '../support/load.ts';
import { type LoadRun, MEBIBYTE, runLoad, unmeasuredOf, warmUp } from '../support/load-run.ts';
import { type Pipeline, type PipelineOptions, startPipeline } from '../support/pipeline.ts';
import { treeCpuSeconds } from '../support/process-usage.ts';
import { makeRunFolder } from '../support/run-folder.ts';
import type { Services } from '../support/services.ts';

/** Costs of one run: seconds a transaction, of all processors and of the clock, and the median answer. */
export type Taken = {
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly p50Ms: number;
};

export type Contestant = {
  /** Sends the unmeasured part of a load. */
  readonly warmUp: (load: Load) => Promise<void>;
  readonly run: (load: Load) => Promise<Taken>;
};

export type Name = 'engine' | 'two workers' | 'four workers' | 'day' | 'cliff' | 'bare' | 'echo';
export type Contestants = ReadonlyMap<Name, Contestant> & AsyncDisposable;

/** Profiles of accounts with such a past take more than a worker and this Redis together have for profiles. */
export const CLIFF = { accounts: 16_000, merchants: 800 };
const CLIFF_PAST = { months: 12, rowsEachAccount: 60, rowsEachMerchant: 300 };
const CLIFF_REDIS_BYTES = 32 * MEBIBYTE;

async function prepareCliff(services: Services): Promise<void> {
  const rows = CLIFF.accounts * CLIFF_PAST.rowsEachAccount;
  await fillHistory(services, { ...CLIFF_PAST, rows, endMs: Date.now() }, () => undefined);
  await services.redis.config('SET', 'maxmemory', CLIFF_REDIS_BYTES);
}

const PIPELINES: Readonly<Record<Exclude<Name, 'echo'>, Omit<PipelineOptions, 'settings'>>> = {
  engine: { workers: 1 },
  'two workers': { workers: 2 },
  'four workers': { workers: 4 },
  day: { workers: 1 },
  cliff: { workers: 1, prepare: prepareCliff },
  bare: { workers: 1, program: 'bare' },
};

export async function startContestants(
  names: readonly Name[],
  context: BenchContext,
): Promise<Contestants> {
  const quiet = { ...context, output: { ...context.output, note: () => undefined } };
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await makeRunFolder('risk-check'));
  const contestants = new Map<Name, Contestant>();
  for (const name of new Set(names)) {
    if (name === 'echo') {
      const echo = opened.use(await startEcho(folder, context.signal));
      contestants.set(name, ofEcho(echo, context.signal));
    } else {
      const pipeline = await startPipeline({ ...PIPELINES[name], settings: {} }, quiet);
      contestants.set(name, ofPipeline(opened.use(pipeline), quiet));
    }
  }
  const owned = opened.move();
  return Object.assign(contestants, { [Symbol.asyncDispose]: () => owned.disposeAsync() });
}

function ofPipeline(pipeline: Pipeline, context: BenchContext): Contestant {
  return {
    warmUp: (load) => warmUp(pipeline, load, context),
    run: async (load) => toTaken(await runLoad(pipeline, load, context)),
  };
}

/** The generator counts, as it does where the engine is measured. */
function ofEcho(echo: Echo, signal: AbortSignal): Contestant {
  const run = async (load: Load): Promise<Taken> => {
    using generator = await startLoad(echo, load, signal);
    const cpuSeconds = () => treeCpuSeconds(echo.pid) + treeCpuSeconds(generator.pid);
    const before = cpuSeconds();
    const posted = await generator.go();
    return toTaken({
      posted,
      transactions: load.transactions,
      cpuSeconds: cpuSeconds() - before,
      seconds: (posted.lastAnswerMs - posted.firstRequestMs) / 1000,
    });
  };
  return {
    warmUp: async (load) => {
      await run(unmeasuredOf(load));
    },
    run,
  };
}

type Run = Pick<LoadRun, 'cpuSeconds' | 'seconds' | 'transactions' | 'posted'>;

function toTaken({ cpuSeconds, seconds, transactions, posted }: Run): Taken {
  return {
    cpuSeconds: cpuSeconds / transactions,
    seconds: seconds / transactions,
    p50Ms: posted.latencyMs.p50,
  };
}
