/** Registries, and what makes metrics of one. */

import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export const HTTP_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1, 2.5, 5, 10,
];
/** Makes metrics of one registry; rooms make theirs with it. */
export type MakeMetrics = ReturnType<typeof createMakers>;

type Read = (path: string) => string | undefined;

export function createMakers(registry: Registry) {
  const registers = [registry];
  return {
    counter: <L extends string>(name: string, help: string, labelNames: readonly L[] = []) => {
      const counter = new Counter({ name, help, labelNames: [...labelNames], registers });
      // Without a line from the start the first event makes one, and `increase` of a sum over the labels does not see it.
      counter.inc({}, 0);
      return counter;
    },
    gauge: <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Gauge({ name, help, labelNames: [...labelNames], registers }),
    histogram: <L extends string>(
      name: string,
      help: string,
      buckets: number[],
      labelNames: readonly L[] = [],
    ) => new Histogram({ name, help, buckets, labelNames: [...labelNames], registers }),
  };
}

/** Labels of every line of a registry, so that alerts know what to sum up and whom to tell. */
export type OwnLabels = { readonly role?: 'api' | 'worker' | 'trainer'; readonly market?: string };

export function createRegistry(labels: OwnLabels): Registry {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  return registry;
}

/** A registry with what prom-client measures of a process; one a process. */
export function createProcessRegistry(labels: OwnLabels = {}): Registry {
  const registry = createRegistry(labels);
  collectDefaultMetrics({ register: registry, prefix: 'risk_' });
  const { gauge } = createMakers(registry);
  gauge(
    'risk_memory_limit_bytes',
    'Memory that the process may have: of its container, or of the machine.',
  ).set(memoryLimitBytes());
  gauge(
    'risk_processor_limit_cores',
    'Processors that the process may use: the quota of its container, at most 1.',
  ).set(processorLimitCores());
  return registry;
}

function memoryLimitBytes(): number {
  // Without a limit the kernel reports a number beyond all memory, or none.
  const constrained = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(constrained, totalmem());
}

export function createHttpDuration({ histogram }: MakeMetrics) {
  const duration = histogram(
    'risk_http_request_duration_seconds',
    'Requests by route and status; `problem` is there where people have stopped or frozen what the request needs.',
    HTTP_BUCKETS_SECONDS,
    ['method', 'route', 'status', 'problem'],
  );
  for (const status of ['500', '503']) duration.zero({ status });
  return duration;
}

/**
 * How much of a processor Linux lets this process use: quotas of its control groups, of version 1 or 2.
 * Processors of the smallest quota over this process; 1 at most, as a role computes in one thread.
 */
export function processorLimitCores(read: Read = readIfThere): number {
  // A path may have colons.
  const groups = (read('/proc/self/cgroup') ?? '').matchAll(/^\d+:(.*?):(\/.*)$/gm);
  const cores = [...groups].flatMap(([, controllers = '', path = '/']) => {
    if (controllers === '')
      return foldersOf('/sys/fs/cgroup', path).map((folder) => newer(read, folder));
    if (!controllers.split(',').includes('cpu')) return [];
    return foldersOf('/sys/fs/cgroup/cpu', path).map((folder) => older(read, folder));
  });
  // A group without a quota has 'max', or -1.
  return Math.min(1, ...cores.filter((core) => core > 0));
}

/** The group and those around it. In a container the mount may be the own group, whatever the path. */
function foldersOf(mount: string, path: string): string[] {
  const folder = join(mount, path);
  return path === '/' ? [mount] : [folder, ...foldersOf(mount, dirname(path))];
}

function newer(read: Read, folder: string): number {
  const [quota, period] = (read(join(folder, 'cpu.max')) ?? '').split(' ').map(Number);
  return (quota ?? Number.NaN) / (period ?? Number.NaN);
}

function older(read: Read, folder: string): number {
  const numberIn = (file: string) => Number(read(join(folder, file)));
  return numberIn('cpu.cfs_quota_us') / numberIn('cpu.cfs_period_us');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
