/**
 * Goal: a stored transaction that is missing from its stream is appended once, whatever Redis lost; final and
 * waiting ones are left alone. Method: the reconciler on real Postgres and Redis, both arranged by hand.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindReconciler } from '../../src/core/repair/reconcile-duty.ts';
import { narrowIngestBatch } from '../../src/core/store/recovery/ingest-batches.ts';
import { readReconcileState } from '../../src/core/store/recovery/reconcile-state.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { openCommands, type RedisClient } from '../../src/kit/redis/connection.ts';
import { testConfig } from '../support/config.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { spawnRisk } from '../support/risk.ts';
import { runRisk } from '../support/run-risk.ts';
import { startTestRedis, type TestService } from '../support/services.ts';
import {
  idAt,
  storeDeadLetters,
  storeOpenBatch,
  storeTransactions,
  type TransactionSeed,
} from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';

const AGE_MS = 500;
const ENTRIES_MAX = 1000;
/** How full the reconciler fills a stream. */
const OWED_MAX = 1100;
const MINUTE_MS = 60_000;

let testDatabase: TestDatabase;
let database: Database;
let service: TestService;
let redis: RedisClient;

beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.open();
  service = await startTestRedis({ durable: true });
  redis = openCommands(service.url, 2000);
  await waitUntil(() => redis.status === 'ready', 5000, 'redis');
});
afterEach(async () => {
  redis.disconnect();
  await database[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

const config = (more: Record<string, string> = {}) =>
  testConfig({
    RISK_RECONCILE_AGE_MS: String(AGE_MS),
    RISK_STREAM_ENTRIES_MAX: String(ENTRIES_MAX),
    ...more,
  });

/** Runs until nothing is left to do; returns how many transactions were appended. */
async function reconcile(more: Record<string, string> = {}): Promise<number> {
  let appended = 0;
  const reconciler = bindReconciler(config(more), database, redis, (n) => {
    appended += n;
  });
  const { signal } = new AbortController();
  await waitUntil(
    async () => {
      const report = await reconciler.run(signal);
      return report.full || (!report.recovering && report.appended === 0 && report.batches === 0);
    },
    20_000,
    'the reconciler to be done',
  );
  return appended;
}

const old = (minutes = 10) => Date.now() - minutes * MINUTE_MS;
const seeds = (count: number, fields: Partial<TransactionSeed> = {}): TransactionSeed[] =>
  Array.from({ length: count }, (_, n) => ({ createdAtMs: old() + n, ...fields }));

async function openBatch(ids: readonly string[], atMs = old()): Promise<void> {
  await storeOpenBatch(database.query, idAt(Date.now()), new Date(atMs), ids);
}

async function streamed(corridor = 'US-EG'): Promise<string[]> {
  const payloads = await readEntries(redis, `{market_0:${corridor}:0}:transactions`);
  return payloads.map(({ transaction }) => transaction.transactionId).sort();
}

const openBatches = async () =>
  (
    await testDatabase.sql<{ ids: string[] }>('select transaction_ids as ids from ingest_batches')
  ).map(({ ids }) => ids);

describe('an open batch', () => {
  test('is appended without what is scored or a dead letter, and closed', async () => {
    await reconcile();
    const ids = await storeTransactions(database, [
      ...seeds(3),
      ...seeds(1, { score: 10 }),
      ...seeds(1, { createdAtMs: old(60 * 24 * 90) }),
    ]);
    await storeDeadLetters(database, [
      { id: idAt(1, 1), transactionId: ids[2] ?? '', failedAtMs: old() },
    ]);
    await openBatch(ids);
    expect(await reconcile()).toBe(3);
    expect(await streamed()).toEqual([ids[0], ids[1], ids[4]].sort());
    expect(await openBatches()).toEqual([]);
    const [first] = await readEntries(redis, '{market_0:US-EG:0}:transactions');
    expect(first?.origin).toBe('reconciled');
  });

  test('is left alone while its request may still be running', async () => {
    const ids = await storeTransactions(database, seeds(1, { receivedAtMs: Date.now() }));
    await openBatch(ids, Date.now() + MINUTE_MS);
    const { signal } = new AbortController();
    await bindReconciler(config(), database, redis, () => undefined).run(signal);
    expect(await openBatches()).toEqual([ids]);
  });

  test('of a full stream keeps what did not fit; other corridors go on', async () => {
    await reconcile();
    const full = await storeTransactions(database, seeds(OWED_MAX + 5));
    const other = await storeTransactions(database, seeds(2, { corridor: 'US-MX' }));
    for (let at = 0; at < full.length; at += 1000) await openBatch(full.slice(at, at + 1000));
    const mixed = await storeTransactions(database, [
      ...seeds(1, { createdAtMs: old(5) }),
      ...seeds(1, { corridor: 'US-MX' }),
    ]);
    await openBatch([...mixed, ...other], old() + 1);
    await reconcile();
    expect(await streamed()).toHaveLength(OWED_MAX);
    expect(await streamed('US-MX')).toEqual([...other, mixed[1]].sort());
    expect((await openBatches()).flat().sort()).toEqual([...full.slice(OWED_MAX), mixed[0]].sort());
    await reconcile();
    expect(await streamed('US-MX')).toHaveLength(3);
    await redis.xtrim('{market_0:US-EG:0}:transactions', 'MAXLEN', 0);
    await reconcile();
    expect(await openBatches()).toEqual([]);
  });
});

test('what API and reconciler leave of a batch at a time is what both left', async () => {
  const [a = '', b = '', c = ''] = await storeTransactions(database, seeds(3));
  await openBatch([a, b, c]);
  const [row] = await testDatabase.sql<{ id: string }>('select batch_id as id from ingest_batches');
  const id = row?.id ?? '';
  await narrowIngestBatch(database, id, [a, b], 'request');
  await narrowIngestBatch(database, id, [b, c], 'reconciler');
  expect(await openBatches()).toEqual([[b]]);
  await narrowIngestBatch(database, id, [a], 'request');
  expect(await openBatches()).toEqual([]);
});

describe('a lost Redis', () => {
  test('gets back what is neither final nor waiting, each once', async () => {
    await reconcile();
    const scored = await storeTransactions(database, seeds(50, { score: 1 }));
    const lost = await storeTransactions(database, seeds(2500));
    const dead = await storeTransactions(database, seeds(1));
    await storeDeadLetters(database, [
      { id: idAt(1, 1), transactionId: dead[0] ?? '', failedAtMs: old() },
    ]);
    await redis.flushall();
    const waiting = await storeTransactions(database, seeds(20));
    await openBatch(waiting);
    await reconcile({ RISK_STREAM_ENTRIES_MAX: '100000' });
    expect(await streamed()).toEqual([...lost, ...waiting].sort());
    expect(await streamed()).not.toContain(scored[0]);
    expect(await readReconcileState(database)).toMatchObject({ recovering: false });
  });

  test('that was only restarted with its data gets nothing twice', async () => {
    const ids = await storeTransactions(database, seeds(30));
    await openBatch(ids);
    await reconcile();
    const before = await readReconcileState(database);
    await service.stop();
    await service.start();
    await waitUntil(() => redis.status === 'ready', 5000, 'redis');
    expect(await reconcile()).toBe(0);
    expect((await readReconcileState(database)).redisIdentity).not.toBe(before.redisIdentity);
    expect(await streamed()).toEqual(ids.sort());
  });

  test('is recovered up to what its streams take, and further when they have room', async () => {
    await reconcile();
    const lost = await storeTransactions(database, seeds(1500));
    const other = await storeTransactions(database, seeds(10, { corridor: 'US-MX' }));
    await redis.flushall();
    await reconcile();
    expect(await streamed()).toHaveLength(OWED_MAX);
    expect(await streamed('US-MX')).toEqual(other.sort());
    await reconcile({ RISK_STREAM_ENTRIES_MAX: '100000' });
    expect(await streamed()).toEqual(lost.sort());
  });

  test('gets back a replayed dead letter although it was received before the checkpoint', async () => {
    await reconcile();
    const [id = ''] = await storeTransactions(database, seeds(1, { createdAtMs: old(500) }));
    await storeDeadLetters(database, [{ id: idAt(1, 1), transactionId: id, failedAtMs: old(400) }]);
    await testDatabase.sql('update dead_letters set replayed_at = now()');
    await testDatabase.sql("update reconcile_state set checkpoint = now() - interval '1 hour'");
    await redis.flushall();
    await reconcile();
    expect(await streamed()).toEqual([id]);
  });

  test('after a crash in the middle is recovered by the next process', async () => {
    await reconcile();
    const lost = await storeTransactions(database, seeds(40));
    await redis.flushall();
    const stopped = AbortSignal.abort();
    await bindReconciler(config(), database, redis, () => undefined).run(stopped);
    expect(await readReconcileState(database)).toMatchObject({ recovering: true });
    await reconcile();
    expect(await streamed()).toEqual(lost.sort());
  });
});

describe('the checkpoint', () => {
  const checkpoint = async () => (await readReconcileState(database)).checkpoint.getTime();

  test('follows when all is final, stops at what waits, and never goes back', async () => {
    await reconcile();
    // Another test may hold a database transaction open in the same cluster: the checkpoint waits for it.
    const moved = async () => {
      await reconcile();
      const at = await checkpoint();
      return at > Date.now() - 3 * MINUTE_MS && at;
    };
    const first = await waitUntil(moved, 30_000, 'the checkpoint to follow');
    const ids = await storeTransactions(database, seeds(3, { receivedAtMs: old(20) }));
    await openBatch(ids);
    await reconcile();
    expect(await checkpoint()).toBe(first);
  });

  test('stays before the oldest that waits', async () => {
    const receivedAtMs = old(30);
    await openBatch(await storeTransactions(database, seeds(3, { receivedAtMs })));
    const moved = async () => {
      await reconcile();
      return (await checkpoint()) > receivedAtMs - 5 * MINUTE_MS;
    };
    await waitUntil(moved, 30_000, 'the checkpoint to follow');
    expect(await checkpoint()).toBeLessThan(receivedAtMs);
  });
});

describe('who reconciles', () => {
  const environment = () => ({
    DATABASE_URL: testDatabase.url,
    REDIS_URL: service.url,
    RISK_RECONCILE_AGE_MS: String(AGE_MS),
    RISK_READ_BLOCK_MS: '200',
  });

  test('the command gives way to a worker that leads', async () => {
    await using leadership = createLeadership(database, 'a worker');
    await leadership.of('repair').run(async () => {
      const { code, stdout } = await runRisk(['reconcile', '--json'], environment());
      expect([code, JSON.parse(stdout)]).toEqual([0, { leader: false, led_by: 'a worker' }]);
    });
    await leadership[Symbol.asyncDispose]();
    const { stdout } = await runRisk(['reconcile', '--json'], environment());
    expect(JSON.parse(stdout)).toMatchObject({ leader: true, recovering: false });
  });

  test('a worker brings everything back by itself after a flush', async () => {
    await using _worker = spawnRisk(['worker'], environment());
    const ids = await storeTransactions(database, seeds(200));
    await openBatch(ids);
    const scored = async () =>
      (await testDatabase.sql<{ rows: number }>('select count(*)::int as rows from scores'))[0]
        ?.rows;
    await waitUntil(async () => (await scored()) === 200, 20_000, 'the first to be scored');
    await storeTransactions(database, seeds(300));
    await redis.flushall();
    await waitUntil(async () => (await scored()) === 500, 25_000, 'the lost ones to be scored');
  });
});

test('an entry keeps every field of its transaction', async () => {
  await reconcile();
  const [id = ''] = await storeTransactions(database, seeds(1, { amount: '10.50' }));
  await testDatabase.sql(
    `update transactions set ip = '::1', device_id = 'd', country = 'US', channel = 'web', type = 't'`,
  );
  await openBatch([id]);
  await reconcile();
  const [first] = await readEntries(redis, '{market_0:US-EG:0}:transactions');
  expect(first?.transaction).toMatchObject({
    ...{ accountId: 'acc_1', merchantId: 'm_1', amount: '10.50', currency: 'USD' },
    ...{ corridor: 'US-EG', type: 't', ip: '::1', deviceId: 'd', country: 'US', channel: 'web' },
  });
});
