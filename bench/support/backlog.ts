/** A backlog of one corridor that waits for the workers of a pipeline. */
import { CORRIDORS } from '../../src/tools/simulate/geography.ts';
import type { BenchContext } from './bench.ts';
import { type Load, startLoad } from './load.ts';
import type { Pipeline } from './pipeline.ts';

/** The corridor of a load of one. */
export const [{ name: BACKLOG_CORRIDOR }] = CORRIDORS;

/** Workers are stopped while it is posted, so that all of it waits when they go on. */
export async function postBacklog(
  pipeline: Pipeline,
  load: Load,
  transactions: number,
  { output, signal }: BenchContext,
): Promise<void> {
  output.note(`posting a backlog of ${transactions}`);
  const seed = `${load.seed}-backlog`;
  const backlog = { ...load, transactions, corridors: 1, batch: 1000, rate: 0, seed };
  using generator = await startLoad(pipeline, backlog, signal);
  const signalAll = (name: NodeJS.Signals) => {
    for (const { pid } of pipeline.workers) process.kill(pid, name);
  };
  signalAll('SIGSTOP');
  try {
    await generator.go();
  } finally {
    signalAll('SIGCONT');
  }
}
