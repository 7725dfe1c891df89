/** Registries, and what makes metrics of one. */
import { totalmem } from 'node:os';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { processorLimitCores } from './processor-limit.ts';

export const HTTP_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1, 2.5, 5, 10,
];
/** Makes metrics of one registry; rooms make theirs with it. */
export type MakeMetrics = ReturnType<typeof createMakers>;

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
export type OwnLabels = { readonly role?: 'api' | 'worker'; readonly market?: string };

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
