/**
 * Goal: with any number of workers, each interval has one report per model, kept for a while, which all of
 * them, the API and the command show. Method: two leaderships at once, two workers, an API process.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { readConfig } from '../../../../src/kit/config/config.ts';
import type { Database } from '../../../../src/kit/database/pool.ts';
import { createLeadership } from '../../../../src/kit/duties/leadership.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { createWatchIfDue, watchDuty } from '../../../../src/rooms/models/duty.ts';
import { watchScores } from '../../../../src/rooms/models/queries/watch-scores.ts';
import { insertWatchReports } from '../../../../src/rooms/models/store/watch-reports.ts';
import type { WatchReport } from '../../../../src/rooms/models/watch-report.ts';
import { freePort } from '../../../../src/tools/start/services/free-port.ts';
import { testConfig } from '../../../support/config.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openRunningApi } from '../../../support/running-api.ts';
import { storeScores } from '../../../support/scored-rows.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const { signal } = new AbortController();
const HOUR_MS = 3_600_000;
const EVERY_MS = 60_000;
const lookOf = (database: Database, leadership = createLeadership(database, 'test')) =>
  createWatchIfDue({
    config: testConfig({ RISK_WATCH_EVERY_SECONDS: '60' }),
    database,
    leadership,
  });
const START_MS = 30_000;

const api = await openRunningApi();
const nowMs = Date.now();
for (const agoMs of [2 * HOUR_MS, 48 * HOUR_MS]) {
  await storeScores(
    api.database,
    Array.from({ length: 1200 }, (_, row) => ({
      createdAtMs: nowMs - agoMs + row,
      risk: (row % 10) / 10,
      features: [row % 10],
    })),
  );
}

const countReports = async () => (await api.testDatabase.sql('select from watch_reports')).length;
const readWatch = async (query = '') => {
  const response = await api.request(`/v1/models/watch${query}`);
  return ((await response.json()) as { items: WatchReport[] }).items;
};

test('two workers make one report an interval, of the same numbers as a look at that time', async () => {
  await using one = api.testDatabase.open({ connectionsMax: 2 });
  await using other = api.testDatabase.open({ connectionsMax: 2 });
  const look = async (database: Database, nowMs: number) => {
    await using leadership = createLeadership(database, randomUUID());
    return await lookOf(database, leadership)(nowMs, signal);
  };
  const startMs = Math.floor(Date.now() / EVERY_MS) * EVERY_MS;
  const made = await Promise.all([look(one, startMs + 1), look(other, startMs + 2)]);
  made.push(await look(one, startMs + 3), await look(other, EVERY_MS - 1 + startMs));
  expect(made.flat()).toHaveLength(1);
  expect(await countReports()).toBe(1);
  expect(await readWatch()).toEqual(await watchScores(one, startMs, 7, signal));
  expect(await look(other, startMs + EVERY_MS)).toHaveLength(1);
  expect(await countReports()).toBe(2);
});

test('the API tells what was known at a time, of one model if asked', async () => {
  const [last] = await readWatch(`?at=${new Date(Date.now() + HOUR_MS).toISOString()}`);
  expect(last).toMatchObject({ model: 'rules', rows: 1200, level: 'fine' });
  const beforeMs = Date.parse(last?.watched_at ?? '') - 1;
  const [earlier] = await readWatch(`?at=${new Date(beforeMs).toISOString()}`);
  expect(Date.parse(earlier?.watched_at ?? '')).toBe(beforeMs + 1 - EVERY_MS);
  expect(await readWatch('?model=rules')).toHaveLength(1);
  expect(await readWatch('?model=m@1')).toEqual([]);
  expect(await readWatch('?at=2020-01-01T00:00:00Z')).toEqual([]);
  for (const query of ['?at=yesterday', '?x=1', '?model=']) {
    expect((await api.request(`/v1/models/watch${query}`)).status, query).toBe(422);
  }
});

test('figures that nobody renews are taken down', async () => {
  const [report] = await readWatch();
  if (report === undefined) throw new Error('no report');
  await using quiet = await createTestDatabase();
  await using database = quiet.open({ connectionsMax: 2 });
  const settings = readConfig({ RISK_WATCH_EVERY_SECONDS: '60' });
  if ('problems' in settings) throw new Error(settings.problems.join());
  const metrics = createMetrics();
  const duty = watchDuty({
    ...{ config: settings.config, database, metrics },
    leadership: createLeadership(database, 'test'),
  });
  const told = async () => (await metrics.registry.metrics()).includes('risk_model_psi{');
  const store = async (agoMs: number) => {
    const atMs = Date.now() - agoMs;
    const dated = { ...report, watched_at: new Date(atMs).toISOString() };
    await insertWatchReports(database.query, atMs, [dated]);
  };
  await store(4 * EVERY_MS);
  await duty.run(signal);
  expect(await told()).toBe(false);
  await store(2 * EVERY_MS);
  await duty.run(signal);
  expect(await told()).toBe(true);
});

test('a worker looks by itself, and its metrics say what was found', async () => {
  await api.testDatabase.sql('truncate watch_reports');
  const port = String(await freePort());
  await using worker = api.startWorker({
    RISK_WORKER_PORT: port,
    RISK_WATCH_EVERY_SECONDS: '1',
  });
  const text = await waitUntil(
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
      const metrics = (await answer?.text()) ?? '';
      return metrics.includes('risk_model_psi{') ? metrics : undefined;
    },
    START_MS,
    'the watch in the metrics',
  );
  expect(text).toContain(
    'risk_model_psi{model="rules",feature="score",role="worker",market="market_0"} 0',
  );
  expect(text).toContain(
    'risk_model_watch_rows{model="rules",figures="drift",role="worker",market="market_0"} 1200',
  );
  expect(text).not.toContain('risk_model_precision_ratio{');
  expect(await worker.stop()).toBe(0);
});
