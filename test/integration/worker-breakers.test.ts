/**
 * Goal: a worker whose dependency freezes waits without counting it against any transaction, reports it, and
 * continues within seconds. Method: a real worker on a Postgres of its own that is stopped during its work.
 */
import { beforeEach, expect, test } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openPool } from '../../src/kit/database/pool.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { freeze } from '../support/freeze.ts';
import { startTestPostgres, startTestRedis } from '../support/services.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
  return () => rig[Symbol.asyncDispose]();
});

test('Postgres frozen: the worker says so and lives; what waited is scored once, with the level', async () => {
  await using postgres = await startTestPostgres();
  await migrate({ url: postgres.url, market: 'market_0', corridors: [] });
  await using scores = openPool({
    ...{
      url: postgres.url,
      market: 'market_0',
      role: 'test',
      connectionsMax: 1,
      namedStatements: true,
    },
    ...{ connectTimeoutMs: 2000, statementTimeoutMs: 5000 },
  });
  const port = await freePort();
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  // Transactions live in the rig's own database: every profile is new to this one.
  const worker = rig.startWorker({
    DATABASE_URL: postgres.url,
    RISK_WORKER_PORT: String(port),
    RISK_RECONCILE_AGE_MS: '600000',
  });
  const levels = async () =>
    await scores.query<{ degradation: number; scores: number; dead: number }>({
      name: 'levels',
      text: `select max(degradation)::int as degradation, count(*)::int as scores,
                    (select count(*)::int from market.dead_letters) as dead from market.scores`,
    });
  await rig.send(seeds(50));
  await waitUntil(async () => (await levels())[0]?.scores === 50, 10_000, 'the first scores');
  // A busy machine is slow, which is a level of its own below that of an outage.
  expect((await levels())[0]?.degradation).toBeLessThan(3);
  using frozen = freeze(postgres);
  await rig.append(await rig.store(seeds(50, Date.UTC(2026, 10, 2))));
  await waitUntil(
    async () =>
      /^risk_breaker_state\{breaker="postgres",.*\} 2$/m.test((await get('/metrics')).text),
    5000,
    'the breaker to open',
  );
  await rig.append(await rig.store(seeds(50, Date.UTC(2026, 10, 3))));
  const ready = await get('/readyz');
  expect(ready.status).toBe(503);
  expect(JSON.parse(ready.text)).toMatchObject({
    ...{ status: 'unready', postgres: 'unavailable', redis: 'ok' },
    ...{ degradation: 3, breakers: ['postgres:open'] },
  });
  expect((await get('/livez')).status).toBe(200);
  frozen.thaw();
  await waitUntil(async () => (await levels())[0]?.scores === 150, 10_000, 'the rest');
  expect(await levels()).toEqual([{ degradation: 3, scores: 150, dead: 0 }]);
  expect(await worker.stop()).toBe(0);
});

test('Redis frozen: a worker that waits for work lives, and tells of no read', async () => {
  await using redis = await startTestRedis();
  const port = await freePort();
  rig.startWorker({ REDIS_URL: redis.url, RISK_WORKER_PORT: String(port) });
  const get = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`).catch(() => new Response(null, { status: 503 }));
  const readSeconds = async () => {
    const text = await (await get('/metrics')).text();
    return Number(/^risk_reader_last_poll_timestamp_seconds\{.*\} (\S+)$/m.exec(text)?.[1] ?? 0);
  };
  await waitUntil(async () => (await readSeconds()) > 0, 10_000, 'a read');
  using frozen = freeze(redis);
  const standsStill = async () => Date.now() / 1000 - (await readSeconds()) > 4;
  await waitUntil(standsStill, 10_000, 'the time of the last read to stand still');
  expect((await get('/livez')).status).toBe(200);
  const stoodAt = await readSeconds();
  frozen.thaw();
  await waitUntil(async () => (await readSeconds()) > stoodAt, 10_000, 'another read');
});

test('a corridor whose stream cannot be read opens its own breaker, and others are scored', async () => {
  const port = await freePort();
  // The corridor's other stream is looked at more often than the breaker counts failures of this one.
  await using worker = rig.spawnWorker({
    ...{ RISK_WORKER_PORT: String(port), RISK_WORKER_READERS: '1', RISK_CLAIM_IDLE_MS: '200' },
  });
  await rig.send(seeds(10));
  await rig.settled(10);
  await rig.commands.set(rig.stream.transactions, 'not a stream');
  let sent = 0;
  const isOpen = async () => {
    sent += 5;
    await rig.send(
      seeds(5, Date.UTC(2026, 10, 2, sent)).map((seed) => ({ ...seed, corridor: 'US-MX' })),
    );
    const isScored = async () =>
      (await rig.database.sql('select from scores')).length === 10 + sent;
    await waitUntil(isScored, 10_000, 'the other corridor to be scored');
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return /^risk_breaker_state\{breaker="streams:US-EG",.*\} 2$/m.test(metrics);
  };
  await waitUntil(isOpen, 20_000, 'the breaker of the corridor to open');
  const failed = (worker.stdout() + worker.stderr()).match(/REDIS_[A-Z]+.*read failed/g) ?? [];
  expect(failed.length).toBeLessThanOrEqual(10);
});
