/** A scrape of several registries: a metric that several registries have occurs once, with the values of all. */
import { type Metric, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';

/** A value of a histogram names its line. */
type Value = MetricValue<string> & { readonly metricName?: string };
type Told = MetricObjectWithValues<Value>;

/** @param labels added to each value of a registry */
export async function scrape(
  registries: readonly {
    readonly registry: Registry;
    readonly labels: Readonly<Record<string, string>>;
  }[],
): Promise<string> {
  const told = registries.map(async ({ registry, labels }) => {
    const metrics = (await registry.getMetricsAsJSON()) as Told[];
    return metrics.map((metric): Told => {
      const values = metric.values.map((value) => ({
        ...value,
        labels: { ...labels, ...value.labels },
      }));
      return { ...metric, values };
    });
  });
  const together = new Registry();
  for (const [name, same] of Map.groupBy((await Promise.all(told)).flat(), (one) => one.name)) {
    const metric = { ...same[0], values: sumAlike(same.flatMap(({ values }) => values)) };
    // The type also asks for what makes values; a registry reads the name and the values alone.
    const readable = { name, get: async () => metric };
    together.registerMetric(readable as unknown as Metric);
  }
  return await together.metrics();
}

/** Adds up values of one line, as a scraper refuses a line that occurs twice: requests of the process and of its only market. */
function sumAlike(values: readonly Value[]): Value[] {
  const lines = Map.groupBy(values, ({ metricName, labels }) =>
    JSON.stringify([metricName, Object.entries(labels).sort()]),
  );
  return Array.from(lines.values(), ([first, ...others]) => {
    const value = others.reduce((sum, one) => sum + one.value, first?.value ?? 0);
    return { ...(first as Value), value };
  });
}
