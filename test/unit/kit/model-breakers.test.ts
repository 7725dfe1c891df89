/**
 * Goal: a model that is out is reported as an open breaker of its corridor, once. Method: lists reported one
 * after the other.
 */
import { expect, test } from 'vitest';
import { createGuards } from '../../../src/kit/breakers/guards.ts';
import { createMetrics } from '../../../src/kit/metrics/metrics.ts';

const never = () => false;

test('models that are out raise their corridor to level 1, and nothing else', async () => {
  const metrics = createMetrics();
  const told: [string, object][] = [];
  const log = {
    warn: (what: object) => void told.push(['warn', what]),
    info: (what: object) => void told.push(['info', what]),
  };
  using guards = createGuards({
    ...{ metrics, log },
    ...{ isPostgresFailure: never, isRedisFailure: never, isStreamFailure: never },
    ...{ isPoolBusy: never, isStuck: never },
    pool: { connectionsMax: 10, waitMs: 0 },
  });
  const { health, reportModels } = guards;
  const out = [{ corridor: 'US-EG', model: 'm@1' }];
  reportModels(out);
  reportModels(out);
  expect(health.breakersOf('US-EG')).toEqual(['model:US-EG:m@1:open']);
  expect([health.levelOf('US-EG'), health.levelOf('US-MX'), health.level()]).toEqual([1, 0, 0]);
  expect(health.breakers()).toEqual(['model:US-EG:m@1:open']);
  const state = async () =>
    (await metrics.breakerState.get()).values.find(
      ({ labels }) => labels.breaker === 'model:US-EG:m@1',
    )?.value;
  expect(await state()).toBe(2);
  reportModels([]);
  expect([await state(), health.levelOf('US-EG'), health.breakers()]).toEqual([0, 0, []]);
  expect(told).toEqual([
    ['warn', { breaker: 'model:US-EG:m@1', state: 'open' }],
    ['info', { breaker: 'model:US-EG:m@1', state: 'closed' }],
  ]);
});
