/** Every metric that a process may report: its help, its kind and its labels. */
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import { ROOMS } from '../../src/main/rooms.ts';

export type Catalogue = ReturnType<typeof readCatalogue>;

export function readCatalogue() {
  const { registry, make } = createMetrics();
  for (const room of ROOMS) room.metrics?.(make);
  const told = registry.getMetricsAsArray();
  const all = told.map((metric) => {
    const labels = 'labelNames' in metric ? metric.labelNames : [];
    return {
      name: metric.name,
      help: metric.help,
      kind: String(metric.type),
      labels: textsOf(labels),
    };
  });
  const byName = new Map(all.map((metric) => [metric.name, metric]));
  /** The histogram of a line of a histogram; other names as they are. */
  const baseOf = (line: string) => {
    const base = line.replace(/_(bucket|sum|count)$/, '');
    return byName.get(base)?.kind === 'histogram' ? base : line;
  };
  return { all, get: (name: string) => byName.get(name), baseOf };
}

const textsOf = (names: unknown): string[] => (Array.isArray(names) ? names.map(String) : []);
