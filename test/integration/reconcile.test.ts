/**
 * Goal: a stored transaction that is missing from its stream is appended once, whatever Redis lost; final and
 * waiting ones are left alone. Method: the reconciler on real Postgres and Redis, both arranged by hand.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindReconciler } from '../../src/core/repair/reconcile.ts';
import { countOpen } from '../../src/core/store/open-rows/open-rows.ts';
import { changeSwitches } from '../../src/core/store/switches/switches.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { openCommands, type RedisClient } from '../../src/kit/redis/connection.ts';
import { testConfig } from '../support/config.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { runRisk } from '../support/run-risk.ts';
import { startTestRedis, type TestService } from '../support/services.ts';
import {
  idAt,
  readRows,
  storeDeadLetters,
  storeOpenRows,
  storeTransactions,
  type TransactionSeed,
} from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';

const AGE_MS = 500;
const ENTRIES_MAX = 1000;
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
      return report.full || (report.isWhole && report.lost + report.rows === 0);
    },
    20_000,
    'the reconciler to be done',
  );
  return appended;
}

const old = (minutes = 10) => Date.now() - minutes * MINUTE_MS;
const seeds = (count: number, fields: Partial<TransactionSeed> = {}): TransactionSeed[] =>
  Array.from({ length: count }, (_, n) => ({ createdAtMs: old() + n, ...fields }));

/** Rows of transactions whose append has failed. */
async function leave(ids: readonly string[], atMs = old()): Promise<void> {
  await storeOpenRows(database.query, new Date(atMs), ids);
}

/** Rows of transactions that were appended. */
async function open(ids: readonly string[], atMs = old()): Promise<void> {
  await storeOpenRows(database.query, new Date(atMs), ids, false);
}

async function streamed(corridor = 'US-EG'): Promise<string[]> {
  const payloads = await readEntries(redis, `{market_0:${corridor}:0}:transactions`);
  return payloads.map(({ transaction }) => transaction.transactionId).sort();
}

const openIds = async () =>
  (await readRows(database.query)).flatMap(({ transactionIds }) => transactionIds).sort();
const leftIds = async () =>
  (await readRows(database.query))
    .flatMap(({ isLeft, transactionIds }) => (isLeft ? transactionIds : []))
    .sort();

describe('a row that was left', () => {
  test('is appended without what is scored or a dead letter, which leave it', async () => {
    const ids = await storeTransactions(database, [
      ...seeds(3),
      ...seeds(1, { score: 10 }),
      ...seeds(1, { createdAtMs: old(60 * 24 * 90) }),
    ]);
    await storeDeadLetters(database, [
      { id: idAt(1, 1), transactionId: ids[2] ?? '', failedAtMs: old() },
    ]);
    await leave(ids, Date.now());
    const open = [ids[0], ids[1], ids[4]].sort();
    expect(await reconcile()).toBe(3);
    expect(await streamed()).toEqual(open);
    expect(await openIds()).toEqual(open);
    expect(await leftIds()).toEqual([]);
    expect(await countOpen(database.query, null)).toBe(3);
    const [first] = await readEntries(redis, '{market_0:US-EG:0}:transactions');
    const [row] = await readRows(database.query);
    expect(first).toMatchObject({ origin: 'reconciled', rowId: row?.rowId });
  });
});

describe('a row that is nowhere in Redis', () => {
  test('is left alone while its request may still be running', async () => {
    await open(await storeTransactions(database, seeds(1)), Date.now() + MINUTE_MS);
    expect(await reconcile()).toBe(0);
  });
});

describe('a lost Redis', () => {
  test('gets back what is neither final nor waiting, each once', async () => {
    const lost = await storeTransactions(database, seeds(2500));
    await open(lost);
    await reconcile({ RISK_STREAM_ENTRIES_MAX: '100000' });
    await redis.flushall();
    const waiting = await storeTransactions(database, seeds(20));
    await leave(waiting);
    expect(await reconcile({ RISK_STREAM_ENTRIES_MAX: '100000' })).toBe(2520);
    expect(await streamed()).toEqual([...lost, ...waiting].sort());
    expect(await reconcile({ RISK_STREAM_ENTRIES_MAX: '100000' })).toBe(0);
  });

  test('that was only restarted with its data gets nothing twice', async () => {
    const ids = await storeTransactions(database, seeds(30));
    await leave(ids);
    await reconcile();
    await service.stop();
    await service.start();
    await waitUntil(() => redis.status === 'ready', 5000, 'redis');
    expect(await reconcile()).toBe(0);
    expect(await streamed()).toEqual(ids.sort());
  });

  test('gets back a replayed dead letter, whenever it was received', async () => {
    const [id = ''] = await storeTransactions(database, seeds(1, { createdAtMs: old(500) }));
    await storeDeadLetters(database, [{ id: idAt(1, 1), transactionId: id, failedAtMs: old(400) }]);
    await open([id]);
    await testDatabase.sql('update dead_letters set replayed_at = now()');
    await reconcile();
    expect(await streamed()).toEqual([id]);
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
    expect(JSON.parse(stdout)).toMatchObject({ leader: true, appended: 0 });
  });
});

test('a row on hold is passed over while its corridor is stopped, and appended once the stop has ended', async () => {
  const ids = await storeTransactions(database, seeds(2));
  await open(ids);
  const stop = { reason: 'a test', message: null, stoppedBy: 'Ann', endsAt: null };
  await changeSwitches(database, false, async (query, _before, change) => {
    await query({ text: 'update market.open_rows set is_on_hold = true' });
    await change.stop('corridor:US-EG', stop);
  });
  expect([await reconcile(), await streamed(), await leftIds()]).toEqual([0, [], []]);
  await changeSwitches(database, false, async (_query, _before, { start }) => {
    await start('corridor:US-EG');
  });
  expect([await reconcile(), await streamed()]).toEqual([2, ids.toSorted()]);
});
