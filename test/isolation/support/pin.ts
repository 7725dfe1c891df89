/** Pins processes to one processor, so that two markets share stores and no processor. */
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { promisify } from 'node:util';
import { NotRun } from '../../chaos/support/not-run.ts';

/** Processors by market. */
export const PROCESSORS = { ours: 0, neighbour: 1 } as const;

/** Pins all threads that the process has; threads that they start stay there too. */
export async function pin(pid: number, side: keyof typeof PROCESSORS): Promise<void> {
  if (cpus().length < 2) throw new NotRun('each market takes a processor of its own');
  await promisify(execFile)('taskset', ['-acp', String(PROCESSORS[side]), String(pid)]);
}
