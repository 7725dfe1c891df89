/** A load on a pipeline: sent, scored to the end, and what that took of each process. */
import type { BenchContext, BenchTable } from './bench.ts';
import { cpuTable, readCpu } from './cpu-by-role.ts';
import type { GeneratorResult } from './generator.ts';
import { DAY_MS, type Load, lastMidnightMs, startLoad } from './load.ts';
import type { Pipeline } from './pipeline.ts';
import { machineCpuSeconds, peakOwnBytes } from './process-usage.ts';
import type { PreparedRequests } from './requests.ts';
import { followWindows, type Window } from './run-windows.ts';
import { readScored, type ScoredProgress, untilScored } from './scored-counter.ts';

export const MEBIBYTE = 2 ** 20;
/** Bounds of a container as shipped; a worker's is larger. */
const MEBIBYTES_MAX = 256;
const WORKER_MEBIBYTES_MAX = 384;
const WINDOW_MS = 5000;

export type Memory = { readonly process: string; readonly bytes: number };

export type LoadRun = {
  readonly posted: GeneratorResult;
  /** True when all of the load was accepted and scored; false when its time ended before. */
  readonly transactions: number;
  readonly progress: ScoredProgress;
  /** From the first request until the last score was seen stored. */
  readonly seconds: number;
  /** CPU seconds of all processes together. */
  readonly cpuSeconds: number;
  readonly cpu: ReturnType<typeof cpuTable>;
  /** Idle share of all processors of the machine, other processes' work counted as busy. */
  readonly idleShare: number;
  readonly memory: readonly Memory[];
  /** Costs and counts of each part of the run; none where no parts were asked for. */
  readonly windows: readonly Window[];
};

/**
 * Sends the load without its unmeasured part, and waits until all of it is scored.
 * @param windowMs length of the parts whose cost is told apart
 */
export async function runLoad(
  pipeline: Pipeline,
  load: Load,
  { output, signal }: BenchContext,
  prepared?: PreparedRequests,
  windowMs?: number,
): Promise<LoadRun> {
  output.note('preparing requests');
  using generator = await startLoad(pipeline, load, signal, prepared);
  output.note(`posting ${generator.requests} requests`);
  // A service that scores as it accepts has no workers.
  const scorers = pipeline.workers.length > 0 ? pipeline.workers : [pipeline.api];
  const scoredBefore = await readScored(scorers, signal);
  const before = readCpu(pipeline, generator);
  const machineBefore = machineCpuSeconds();
  await using followed =
    windowMs === undefined ? null : await followWindows(pipeline, windowMs, signal);
  let wanted = load.seconds === undefined ? load.transactions : undefined;
  const send = async () => {
    const posted = await generator.go();
    if (load.seconds !== undefined) wanted = posted.accepted;
    return posted;
  };
  const [posted, progress] = await Promise.all([
    send(),
    untilScored(
      scorers,
      { scoredBefore, transactions: () => wanted, onPolled: generator.noteScored },
      signal,
    ),
  ]);
  const windows = (await followed?.end()) ?? [];
  const after = readCpu(pipeline, generator);
  const machineAfter = machineCpuSeconds();
  const seconds = (progress.finishedMs - posted.firstRequestMs) / 1000;
  const transactions = wanted ?? posted.accepted;
  const cpu = cpuTable(before, after, { seconds, transactions });
  const sum = (one: Readonly<Record<string, number>>) =>
    Object.values(one).reduce((total, value) => total + value, 0);
  return {
    ...{ posted, transactions, progress, seconds },
    ...{ cpu, cpuSeconds: sum(after) - sum(before) },
    idleShare: (machineAfter.idle - machineBefore.idle) / (machineAfter.all - machineBefore.all),
    memory: await readMemory(pipeline, generator.pid),
    windows,
  };
}

/** Sends the unmeasured part of the load, which compiles code and fills caches. */
export async function warmUp(
  pipeline: Pipeline,
  load: Load,
  context: BenchContext,
  prepared?: PreparedRequests,
): Promise<void> {
  if (load.unmeasured === 0) return;
  await runLoad(pipeline, unmeasuredOf(load), context, prepared);
}

/** Simulated times of the unmeasured part lie before the others, and are as dense. */
export function unmeasuredOf(load: Load): Load {
  const { seconds: _, ...untimed } = load;
  const { unmeasured: transactions, live, days, endMs = lastMidnightMs() } = untimed;
  const own = { ...untimed, transactions, seed: `${load.seed}-warm-up` };
  if (live) return own;
  const ownDays = Math.ceil((days * transactions) / load.transactions);
  return { ...own, days: Math.max(1, ownDays), endMs: endMs - days * DAY_MS };
}

/** Peak memory of its own, so far, of each process of the pipeline, and of the generator where there is one. */
export async function readMemory(pipeline: Pipeline, generatorPid?: number): Promise<Memory[]> {
  const generator = generatorPid === undefined ? [] : [{ name: 'generator', pid: generatorPid }];
  const processes = [...pipeline.workers, ...generator];
  return [
    ...[pipeline.api, ...processes].map(({ name, pid }) => ({
      process: name,
      bytes: peakOwnBytes(pid),
    })),
    { process: 'redis', bytes: await redisBytes(pipeline, 'used_memory_peak') },
  ];
}

/** Memory that Redis itself has asked for, now or at most, without the allocator's reserve. */
export async function redisBytes(
  { services }: Pipeline,
  field: 'used_memory' | 'used_memory_peak',
): Promise<number> {
  const info = await services.redis.info('memory');
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}

export function memoryBreaches(memory: readonly Memory[]): string[] {
  return memory.flatMap(({ process, bytes }) => {
    const most = process.startsWith('worker') ? WORKER_MEBIBYTES_MAX : MEBIBYTES_MAX;
    if (bytes <= most * MEBIBYTE || process === 'generator') return [];
    return [`${process} peaked at ${inMebibytes(bytes)} MiB, above ${most}`];
  });
}

export function memoryTable(memory: readonly Memory[]): BenchTable {
  return {
    title: 'peak memory without pages of program files (redis: used_memory_peak)',
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
