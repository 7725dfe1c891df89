/** Goal: live figures are of the last minute. Method: metrics that change while a clock goes on. */
import { expect, test } from 'vitest';
import { createMetrics } from '../../../../../src/kit/metrics/metrics.ts';
import { createReadLive } from '../../../../../src/rooms/status/queries/live-figures.ts';
import type { StatusJson } from '../../../../../src/rooms/status/queries/pipeline-status.ts';

const latency = (transactions: number) => ({
  latency_p50_ms: 18,
  latency_p95_ms: 61,
  latency_transactions: transactions,
  latency_newest_at: '2026-11-20T09:29:59.870Z',
});

const status: StatusJson = {
  at: '2026-11-20T09:30:00.000Z',
  postgres: 'up',
  replica: { state: 'up', lag_ms: 12 },
  redis: 'up',
  kafka: null,
  workers: { live: 3, missing: 0 },
  corridors: [
    {
      corridor: 'US-EG',
      region: 'US',
      lag: 120,
      pending: 40,
      retries_due: 1,
      oldest_age_seconds: 0.4,
      dead_letters: 3,
      ...latency(480),
      breakers: [],
      degradation: 0,
      stopped: null,
    },
  ],
  unappended: 0,
  breakers: [],
  degradation: 0,
  ...latency(1000),
  totals: { accepted: 1_204_113, scored: 1_203_949, dead_lettered: 3, pending: 161, on_hold: 0 },
  totals_counted_at: '2026-11-20T09:30:00.000Z',
};

test('cache hits are a share of the reads of the last minute, by all caches', async () => {
  const metrics = createMetrics();
  let nowMs = 0;
  const read = createReadLive({
    ...{ readStatus: async () => status, metrics, poolInUse: () => 0, nowMs: () => nowMs },
  });
  const readAt = async (ms: number) => {
    nowMs = ms;
    return (await read()).cache_hits_ratio;
  };
  const labels = { cache: 'scores', tier: 'memory' };
  expect(await readAt(0)).toBeNull();
  metrics.cacheMisses.inc(labels, 4);
  expect(await readAt(30_000)).toBe(0);
  metrics.cacheHits.inc(labels, 2);
  metrics.cacheHits.inc({ ...labels, cache: 'profiles' }, 4);
  metrics.cacheMisses.inc(labels, 2);
  expect(await readAt(60_000)).toBe(0.5);
  expect(await readAt(90_000)).toBe(0.75);
  expect(await readAt(150_000)).toBeNull();
});

test('queue depth and connections are means of the last minute', async () => {
  const [corridor] = status.corridors ?? [];
  if (corridor === undefined) throw new Error('the example has a corridor');
  let [lag, inUse, nowMs] = [0, 0.2, 0];
  const read = createReadLive({
    readStatus: async () => ({ ...status, corridors: [{ ...corridor, lag }] }),
    metrics: createMetrics(),
    poolInUse: () => inUse,
    nowMs: () => nowMs,
  });
  const values = async () => {
    const { signals } = await read();
    const named = (name: string) => signals.find(({ signal }) => signal === name)?.value;
    return [named('queue_entries'), named('database_connections_ratio')];
  };
  expect(await values()).toEqual([0, 0.2]);
  [lag, inUse, nowMs] = [1000, 1, 30_000];
  expect(await values()).toEqual([500, 0.6]);
  nowMs = 90_000;
  expect(await values()).toEqual([1000, 1]);
});

test('signals of requests have a level from 20 requests or 3 errors a minute on, and probes do not count', async () => {
  const metrics = createMetrics();
  let nowMs = 0;
  const read = createReadLive({
    ...{ readStatus: async () => status, metrics, poolInUse: () => 0, nowMs: () => nowMs },
  });
  const levels = async () => {
    nowMs += 1000;
    const { signals } = await read();
    return signals.filter(({ signal }) => signal.startsWith('api_')).map(({ level }) => level);
  };
  const request = (count: number, answer: string, seconds: number, route = '/v1/me') => {
    for (let nth = 0; nth < count; nth++)
      metrics.httpDuration.observe({ method: 'GET', route, status: answer }, seconds);
  };
  expect(await levels()).toEqual(['unknown', 'unknown']);
  request(3, '200', 0.2);
  request(100, '200', 0.4, '/livez');
  request(2, '503', 0.2);
  expect(await levels()).toEqual(['unknown', 'unknown']);
  request(1, '503', 0.2);
  expect(await levels()).toEqual(['unknown', 'critical']);
  request(14, '200', 0.31);
  expect(await levels()).toEqual(['warning', 'critical']);
});

test('a request of a stopped or frozen scope is no error', async () => {
  const metrics = createMetrics();
  const read = createReadLive({
    ...{ readStatus: async () => status, metrics, poolInUse: () => 0, nowMs: () => 0 },
  });
  await read();
  const labels = { method: 'POST', route: '/v1/transactions', status: '503' };
  for (const problem of ['scope-stopped', 'frozen'])
    for (let nth = 0; nth < 50; nth++) metrics.httpDuration.observe({ ...labels, problem }, 0.01);
  const errors = async () =>
    (await read()).signals.find(({ signal }) => signal === 'api_errors_ratio');
  expect(await errors()).toMatchObject({ value: 0, level: 'fine' });
  for (let nth = 0; nth < 25; nth++) metrics.httpDuration.observe(labels, 0.01);
  expect(await errors()).toMatchObject({ value: 0.2, level: 'critical' });
});

test('the 95th percentile of durations is interpolated within its bucket', async () => {
  const metrics = createMetrics();
  const read = createReadLive({
    readStatus: async () => status,
    metrics,
    poolInUse: () => 0,
    nowMs: () => 0,
  });
  const p95 = async () =>
    (await read()).signals.find(({ signal }) => signal === 'api_p95_ms')?.value;
  const request = (count: number, seconds: number) => {
    const labels = { method: 'GET', route: '/v1/me', status: '200' };
    for (let nth = 0; nth < count; nth++) metrics.httpDuration.observe(labels, seconds);
  };
  expect(await p95()).toBeNull();
  request(90, 0.04);
  request(10, 0.31);
  expect(await p95()).toBeCloseTo(350, 9);
  request(1000, 60);
  expect(await p95()).toBe(10_000);
});
