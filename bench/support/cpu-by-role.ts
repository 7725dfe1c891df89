/** Where the processor time goes: CPU microseconds a transaction, by role, between two moments. */
import { availableParallelism } from 'node:os';
import type { GeneratorProcess } from './generator-process.ts';
import type { Pipeline } from './pipeline.ts';
import { treeCpuSeconds } from './process-usage.ts';

type CpuByRole = {
  readonly api: number;
  readonly workers: number;
  readonly postgres: number;
  readonly redis: number;
  readonly generator: number;
};

/** CPU seconds each role has used so far. */
export function readCpu(pipeline: Pipeline, generator: GeneratorProcess): CpuByRole {
  return { ...readEngineCpu(pipeline), generator: treeCpuSeconds(generator.pid) };
}

/** CPU seconds of the engine alone. Postgres is the server with all its sessions. */
export function readEngineCpu({ api, workers, services }: Pipeline): Omit<CpuByRole, 'generator'> {
  return {
    api: treeCpuSeconds(api.pid),
    workers: workers.reduce((sum, worker) => sum + treeCpuSeconds(worker.pid), 0),
    postgres: treeCpuSeconds(services.postgresPid),
    redis: treeCpuSeconds(services.redisPid),
  };
}

export type CpuRow = {
  readonly role: string;
  readonly cpu_seconds: string;
  readonly us_per_transaction: string;
  readonly share_of_machine: string;
};

type CpuSpan = {
  readonly seconds: number;
  readonly transactions: number;
};

export function cpuTable(before: CpuByRole, after: CpuByRole, span: CpuSpan): CpuRow[] {
  const row = (role: string, seconds: number): CpuRow => ({
    role,
    cpu_seconds: seconds.toFixed(2),
    us_per_transaction: ((seconds * 1e6) / span.transactions).toFixed(1),
    share_of_machine: (seconds / span.seconds / availableParallelism()).toFixed(3),
  });
  const roles = Object.keys(before) as (keyof CpuByRole)[];
  const total = roles.reduce((sum, role) => sum + after[role] - before[role], 0);
  return [...roles.map((role) => row(role, after[role] - before[role])), row('together', total)];
}
