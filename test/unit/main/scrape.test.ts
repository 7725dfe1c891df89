/** Goal: a scrape of several registries is one that Prometheus takes. Method: two registries with metrics of the same names. */
import { Counter, Histogram, type Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createRegistry, type OwnLabels } from '../../../src/kit/metrics/make-metrics.ts';
import { scrape } from '../../../src/main/scrape.ts';

function registryOf(requests: number, labels: OwnLabels = {}): Registry {
  const registry = createRegistry(labels);
  const common = { help: 'Help.', registers: [registry], labelNames: ['route'] };
  new Counter({ ...common, name: 'requests_total' }).inc({ route: '/v1' }, requests);
  new Histogram({ ...common, name: 'seconds', buckets: [1] }).observe({ route: '/v1' }, 0.5);
  return registry;
}
const linesOf = (text: string) =>
  text.split('\n').filter((line) => line !== '' && line !== '# EOF');

test('a metric occurs once, with the lines of each registry', async () => {
  const apart = await scrape([registryOf(2, { market: 'a' }), registryOf(3, { market: 'b' })]);
  expect(linesOf(apart)).toEqual([
    '# HELP requests_total Help.',
    '# TYPE requests_total counter',
    'requests_total{route="/v1",market="a"} 2',
    'requests_total{route="/v1",market="b"} 3',
    '# HELP seconds Help.',
    '# TYPE seconds histogram',
    ...['a', 'b'].flatMap((market) => [
      `seconds_bucket{le="1",route="/v1",market="${market}"} 1`,
      `seconds_bucket{le="+Inf",route="/v1",market="${market}"} 1`,
      `seconds_sum{route="/v1",market="${market}"} 0.5`,
      `seconds_count{route="/v1",market="${market}"} 1`,
    ]),
  ]);
  const alone = linesOf(await scrape([registryOf(2)]));
  expect(new Set(alone)).toEqual(new Set(linesOf(await registryOf(2).metrics())));
});
