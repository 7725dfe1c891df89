/** One scrape of several registries: a metric that several have is told once, with the values of all. */
import { type Metric, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';

type Told = MetricObjectWithValues<MetricValue<string>>;

/** @param labels added to each value of a registry */
export async function scrape(
  registries: readonly {
    readonly registry: Registry;
    readonly labels: Readonly<Record<string, string>>;
  }[],
): Promise<string> {
  const told = registries.map(async ({ registry, labels }) => {
    const metrics = await registry.getMetricsAsJSON();
    return metrics.map((metric): Told => {
      const values = (metric as Told).values.map((value) => ({
        ...value,
        labels: { ...labels, ...value.labels },
      }));
      return { ...(metric as Told), values };
    });
  });
  const together = new Registry();
  for (const [name, same] of Map.groupBy((await Promise.all(told)).flat(), (one) => one.name)) {
    const metric = { ...same[0], values: same.flatMap(({ values }) => values) };
    // What a registry reads of a metric.
    const readable = { name, get: async () => metric };
    together.registerMetric(readable as unknown as Metric);
  }
  return await together.metrics();
}
