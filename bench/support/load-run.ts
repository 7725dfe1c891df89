/** One load on one pipeline: sent, scored to the end, and what that took of each process. */
import type { BenchContext, BenchTable } from './bench.ts';
import { cpuTable, readCpu } from './cpu-by-role.ts';
import type { GeneratorResult } from './generator.ts';
import { type Load, startLoad } from './load.ts';
import type { Pipeline } from './pipeline.ts';
import { peakRssBytes } from './process-usage.ts';
import { readScored, type ScoredProgress, untilScored } from './scored-counter.ts';

export const MEBIBYTE = 2 ** 20;
/** No Node process of the engine and no Redis above it. */
const PROCESS_BYTES_MAX = 256 * MEBIBYTE;
const WINDOW_MS = 5000;

export type Memory = { readonly process: string; readonly bytes: number };

export type LoadRun = {
  readonly posted: GeneratorResult;
  readonly progress: ScoredProgress;
  /** From the first request until the last score was seen stored. */
  readonly seconds: number;
  /** CPU seconds of all processes together. */
  readonly cpuSeconds: number;
  readonly cpu: ReturnType<typeof cpuTable>;
  readonly memory: readonly Memory[];
};

/** Sends the load and waits until all of it is scored. */
export async function runLoad(
  pipeline: Pipeline,
  load: Load,
  { output, signal }: BenchContext,
): Promise<LoadRun> {
  output.note('preparing requests');
  using generator = await startLoad(pipeline, load, signal);
  output.note(`posting ${generator.requests} requests`);
  // A service that scores as it accepts has no workers.
  const scorers = pipeline.workers.length > 0 ? pipeline.workers : [pipeline.api];
  const scoredBefore = await readScored(scorers, signal);
  const before = readCpu(pipeline, generator);
  const [posted, progress] = await Promise.all([
    generator.go(),
    untilScored(scorers, { scoredBefore, transactions: load.transactions }, signal),
  ]);
  const after = readCpu(pipeline, generator);
  const seconds = (progress.finishedMs - posted.firstRequestMs) / 1000;
  const { transactions } = load;
  const cpu = cpuTable(before, after, { seconds, transactions });
  const sum = (one: Readonly<Record<string, number>>) =>
    Object.values(one).reduce((total, value) => total + value, 0);
  return {
    ...{ posted, progress, seconds, cpu, cpuSeconds: sum(after) - sum(before) },
    memory: await readMemory(pipeline, generator.pid),
  };
}

const WARM_UP_SECONDS = 5;

/**
 * The same load, uncounted: code that is compiled and caches that fill are no latency to keep.
 * @param transactions by default those of a few seconds at the load's rate
 */
export async function warmUp(
  pipeline: Pipeline,
  load: Load,
  context: BenchContext,
  transactions = load.rate * WARM_UP_SECONDS,
): Promise<void> {
  await runLoad(pipeline, { ...load, transactions, seed: `${load.seed}-warm-up` }, context);
}

/** Peaks so far of every process of the pipeline, and of the generator where there is one. */
export async function readMemory(pipeline: Pipeline, generatorPid?: number): Promise<Memory[]> {
  const generator = generatorPid === undefined ? [] : [{ name: 'generator', pid: generatorPid }];
  const processes = [...pipeline.workers, ...generator];
  return [
    ...[pipeline.api, ...processes].map(({ name, pid }) => ({
      process: name,
      bytes: peakRssBytes(pid),
    })),
    { process: 'redis', bytes: await redisBytes(pipeline, 'used_memory_peak') },
  ];
}

/** What Redis itself has asked for, now or at most, without what the allocator holds back. */
export async function redisBytes(
  { services }: Pipeline,
  field: 'used_memory' | 'used_memory_peak',
): Promise<number> {
  const info = await services.redis.info('memory');
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}

export function memoryBreaches(memory: readonly Memory[]): string[] {
  return memory
    .filter(({ process, bytes }) => bytes > PROCESS_BYTES_MAX && process !== 'generator')
    .map(({ process, bytes }) => `${process} peaked at ${inMebibytes(bytes)} MiB, above 256`);
}

export function memoryTable(memory: readonly Memory[]): BenchTable {
  return {
    title: 'peak memory (redis: used_memory_peak)',
    rows: memory.map(({ process, bytes }) => ({ process, mebibytes: inMebibytes(bytes) })),
  };
}

export function inMebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(0);
}

/** Fewest scored a second over any whole window while there was work; NaN in a shorter run. */
export function slowestWindow({ samples }: ScoredProgress): number {
  let slowest = Number.POSITIVE_INFINITY;
  for (const [index, from] of samples.entries()) {
    const to = samples.slice(index).find(({ atMs }) => atMs - from.atMs >= WINDOW_MS);
    if (to === undefined || from.scored === 0) continue;
    slowest = Math.min(slowest, ((to.scored - from.scored) * 1000) / (to.atMs - from.atMs));
  }
  return Number.isFinite(slowest) ? slowest : Number.NaN;
}
