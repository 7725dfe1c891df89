/**
 * Goal: a worker whose dependency freezes waits without counting it against any transaction, reports it, and continues within seconds;
 * a corridor whose keys cannot be written waits alone, and recovers once its keys do. Method: a real worker on a Postgres of its own
 * that is stopped during its work; another type at the key of events, where settling fails after everything else has worked.
 */
import { beforeEach, expect, test } from 'vitest';
import { sumMetric } from '../../bench/support/metrics.ts';
import { GROUP, type StreamKeys, streamKeys } from '../../src/core/stream/keys.ts';
import { measureStreams } from '../../src/core/stream/status/lag.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openPool } from '../../src/kit/database/pool.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { freeze } from '../support/freeze.ts';
import { startTestPostgres, startTestRedis } from '../support/services.ts';
import { readScored } from '../support/stream-entries.ts';
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

/** More than twice the batches that a worker holds at a time, which would otherwise fill up. */
const ROUNDS = 8;
const ROUND = 20;
const OTHERS = ['US-IN', 'US-MX', 'US-PH'];

async function sendTo(corridor: string, round: number): Promise<void> {
  const startMs = Date.UTC(2026, 10, 2, round);
  await rig.send(seeds(ROUND, startMs).map((seed) => ({ ...seed, corridor })));
}

const streamOf = (corridor: string): StreamKeys => streamKeys(rig.database.market, corridor, 0);

/** A consumer that never returns takes an entry of each corridor. */
async function leaveBehind(corridors: readonly string[]): Promise<void> {
  const { commands } = rig;
  for (const { transactions } of corridors.map(streamOf)) {
    await commands.xgroup('CREATE', transactions, GROUP, '0', 'MKSTREAM');
  }
  for (const corridor of corridors) await sendTo(corridor, 0);
  for (const { transactions } of corridors.map(streamOf)) {
    const args = ['GROUP', GROUP, 'dead', 'COUNT', '1', 'STREAMS', transactions, '>'] as const;
    await commands.call('XREADGROUP', ...args);
  }
}

async function waiting(corridors: readonly string[]): Promise<number> {
  const measured = await measureStreams(rig.commands, corridors.map(streamOf));
  return measured.reduce((sum, { lag, pending }) => sum + lag + pending, 0);
}

test('a corridor whose events cannot be written waits alone, with its entries and their deliveries', async () => {
  const { stream, commands } = rig;
  await commands.set(stream.scored, 'not a stream');
  await leaveBehind([stream.corridor, ...OTHERS]);
  const port = await freePort();
  const settings = { RISK_WORKER_PORT: String(port), RISK_BATCH_ENTRIES: '20' };
  const worker = rig.startWorker(settings);
  for (let round = 1; round <= ROUNDS; round++) {
    for (const corridor of [stream.corridor, ...OTHERS]) await sendTo(corridor, round);
    await waitUntil(async () => (await waiting(OTHERS)) === 0, 15_000, `round ${round} of others`);
  }
  // Some events come twice, where a recovery was quicker than the sender.
  expect(await waiting([stream.corridor])).toBeGreaterThanOrEqual((ROUNDS + 1) * ROUND);
  await waitUntil(
    async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return (
        sumMetric(metrics, 'risk_breaker_state', { breaker: `streams:${stream.corridor}` }) === 2
      );
    },
    15_000,
    'the breaker of the corridor to open',
  );
  const dead = await commands.xpending(stream.transactions, GROUP, '-', '+', 100, 'dead');
  expect(dead.map((row) => (row as unknown[])[3])).toEqual([1]);
  await commands.del(stream.scored);
  // A second worker: the first waits half a minute before its next check, and stops all the same.
  expect(await worker.stop()).toBe(0);
  rig.startWorker(settings);
  const final = (ROUNDS + 1) * ROUND * (OTHERS.length + 1);
  expect(await rig.settled(final)).toMatchObject({ scored: final, deadLetters: 0 });
  const published = await readScored(commands, stream.scored);
  expect(new Set(published.map(([transactionId]) => transactionId)).size).toBe(
    (ROUNDS + 1) * ROUND,
  );
});
