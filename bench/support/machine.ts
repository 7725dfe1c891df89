/** The machine of a run and the commit that ran, as printed with every figure. */
import { execFile } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_bytes: number;
  readonly kernel: string;
  readonly node: string;
};

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory_bytes: totalmem(),
    kernel: `${process.platform} ${release()} ${process.arch}`,
    node: process.versions.node,
  };
}

export function formatMachine({ cpu, cores, memory_bytes, kernel, node }: Machine): string {
  const gibibytes = (memory_bytes / 2 ** 30).toFixed(1);
  return `${cpu}, ${cores} cores, ${gibibytes} GiB, ${kernel}, node ${node}`;
}

/** Abbreviated; `unknown` where there is no history. */
export async function readCommit(): Promise<string> {
  const shown = promisify(execFile)('git', ['rev-parse', '--short', 'HEAD']);
  return await shown.then(
    ({ stdout }) => stdout.trim(),
    () => 'unknown',
  );
}
