/** Goal: a refusal that people asked for is told apart from a failure of the engine. Method: both, in routes of an application. */
import { Hono } from 'hono';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Problem, unavailable } from '../../../../src/kit/http/answers/problem.ts';
import type { AppEnv } from '../../../../src/kit/http/app-env.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { createApp } from '../../../../src/main/http/app.ts';

test('only the duration of what people have stopped or frozen names a problem', async () => {
  const metrics = createMetrics();
  const routes = new Hono<AppEnv>();
  const thrown = {
    '/stopped': new Problem('scope-stopped', 'The corridor is stopped.'),
    '/frozen': new Problem('frozen', 'The corridor is frozen.'),
    '/away': unavailable(),
    '/over': new Problem('limited', 'The limit is used up.'),
  };
  for (const [path, problem] of Object.entries(thrown)) {
    routes.get(path, () => {
      throw problem;
    });
  }
  const app = createApp({
    ...{ log: pino({ enabled: false }), metrics, routes: [routes] },
    degradation: { level: () => 0, levelOf: () => 0 },
    ...{ timeoutMs: 1000, waitMsMax: 0, authenticate: async () => undefined },
  });
  for (const path of Object.keys(thrown)) await app.request(path);
  const { values } = await metrics.httpDuration.get();
  const counted = values.filter(
    ({ metricName, value }) => metricName?.endsWith('_count') && value > 0,
  );
  expect(counted.map(({ labels: { route, status, problem } }) => [route, status, problem])).toEqual(
    [
      ['/stopped', '503', 'scope-stopped'],
      ['/frozen', '503', 'frozen'],
      ['/away', '503', undefined],
      ['/over', '429', undefined],
    ],
  );
});
