/** Registries, and what makes metrics of one. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export const HTTP_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10,
];
/** Makes metrics of one registry; rooms make theirs with it. */
export type MakeMetrics = ReturnType<typeof createMakers>;

export function createMakers(registry: Registry) {
  const registers = [registry];
  return {
    counter: <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Counter({ name, help, labelNames: [...labelNames], registers }),
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

/** A registry with what prom-client measures of a process; one a process. */
export function createProcessRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'risk_' });
  return registry;
}

export const createHttpDuration = ({ histogram }: MakeMetrics) =>
  histogram(
    'risk_http_request_duration_seconds',
    'Requests by route and status; `problem` is there where people have stopped or frozen what the request needs.',
    HTTP_BUCKETS_SECONDS,
    ['method', 'route', 'status', 'problem'],
  );
