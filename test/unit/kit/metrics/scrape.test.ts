/** Goal: a scrape of several registries is one that Prometheus takes. Method: two registries with metrics of the same names. */
import { Counter, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { scrape } from '../../../../src/kit/metrics/scrape.ts';

function registryOf(requests: number): Registry {
  const registry = new Registry();
  const common = { help: 'Help.', registers: [registry], labelNames: ['route'] };
  new Counter({ ...common, name: 'requests_total' }).inc({ route: '/v1' }, requests);
  new Histogram({ ...common, name: 'seconds', buckets: [1] }).observe({ route: '/v1' }, 0.5);
  return registry;
}
const linesOf = (text: string) =>
  text.split('\n').filter((line) => line !== '' && line !== '# EOF');

test('each line occurs once: of registries with labels of their own beside each other, of others as a sum', async () => {
  const apart = await scrape([
    { registry: registryOf(2), labels: { market: 'a' } },
    { registry: registryOf(3), labels: { market: 'b' } },
  ]);
  expect(linesOf(apart)).toEqual([
    '# HELP requests_total Help.',
    '# TYPE requests_total counter',
    'requests_total{market="a",route="/v1"} 2',
    'requests_total{market="b",route="/v1"} 3',
    '# HELP seconds Help.',
    '# TYPE seconds histogram',
    ...['a', 'b'].flatMap((market) => [
      `seconds_bucket{market="${market}",le="1",route="/v1"} 1`,
      `seconds_bucket{market="${market}",le="+Inf",route="/v1"} 1`,
      `seconds_sum{market="${market}",route="/v1"} 0.5`,
      `seconds_count{market="${market}",route="/v1"} 1`,
    ]),
  ]);
  const summed = await scrape([
    { registry: registryOf(2), labels: {} },
    { registry: registryOf(3), labels: {} },
  ]);
  expect(linesOf(summed)).toContain('requests_total{route="/v1"} 5');
  expect(linesOf(summed)).toContain('seconds_bucket{le="1",route="/v1"} 2');
  const alone = linesOf(await scrape([{ registry: registryOf(2), labels: {} }]));
  expect(new Set(alone)).toEqual(new Set(linesOf(await registryOf(2).metrics())));
});
