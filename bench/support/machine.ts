/** The machine of a run, as printed above every figure. */
import { availableParallelism, cpus, release, totalmem } from 'node:os';

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
