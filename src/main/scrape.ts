/** A scrape of several registries: a metric that several registries have occurs once, with the values of all. */
import { type Metric, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';

type Told = MetricObjectWithValues<MetricValue<string>>;

/** Labels of the registries tell their lines apart: a scraper refuses a line that occurs twice. */
export async function scrape(registries: readonly Registry[]): Promise<string> {
  const told = registries.map(async (registry) => (await registry.getMetricsAsJSON()) as Told[]);
  const together = new Registry();
  for (const [name, same] of Map.groupBy(
    (await Promise.all(told)).flat(),
    (family) => family.name,
  )) {
    const metric = { ...same[0], values: same.flatMap(({ values }) => values) };
    // The type also asks for what makes values; a registry reads the name and the values alone.
    const readable = { name, get: async () => metric };
    together.registerMetric(readable as unknown as Metric);
  }
  return await together.metrics();
}
