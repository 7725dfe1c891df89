/**
 * Goal: a stored transaction that is missing from its stream is appended once, whatever Redis lost; final and
 * waiting ones are left alone; a stream that is full waits alone. Method: the reconciler on real Postgres and Redis, both arranged by hand.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindReconciler } from '../../src/core/repair/reconcile.ts';
import { changeControls } from '../../src/core/store/controls/controls.ts';
import { countOpen } from '../../src/core/store/open-rows/open-rows.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import type { Database, Statement } from '../../src/kit/database/pool.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { openCommands, type RedisClient } from '../../src/kit/redis/connection.ts';
import { testConfig } from '../support/config.ts';
import { aControl, endControlIn } from '../support/controls.ts';
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
import { readEntries, takeEntries } from '../support/stream-entries.ts';
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

/** Ids in their order. */
async function appendedTo(corridor = 'US-EG'): Promise<string[]> {
  const payloads = await readEntries(redis, `{market_0:${corridor}:0}:transactions`);
  return payloads.map(({ transaction }) => transaction.transactionId);
}
const streamed = async (corridor?: string) => (await appendedTo(corridor)).sort();

const openIds = async () =>
  (await readRows(database.query)).flatMap(({ transactionIds }) => transactionIds).sort();
const leftIds = async () =>
  (await readRows(database.query))
    .flatMap(({ isLeft, transactionIds }) => (isLeft ? transactionIds : []))
    .sort();

test('a row that was left is appended without its scored transactions and dead letters, which leave the row', async () => {
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

test('a row that is nowhere in Redis is left alone while its request may still be running', async () => {
  await open(await storeTransactions(database, seeds(1)), Date.now() + MINUTE_MS);
  expect(await reconcile()).toBe(0);
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
  await changeControls(database, false, async (query, _before, change) => {
    await query({ text: 'update market.open_rows set is_on_hold = true' });
    await change.set(aControl('stop', 'corridor:US-EG'));
  });
  expect([await reconcile(), await streamed(), await leftIds()]).toEqual([0, [], []]);
  await endControlIn(database, 'stop', 'corridor:US-EG');
  expect([await reconcile(), await streamed()]).toEqual([2, ids.toSorted()]);
});

/** How full the reconciler fills a stream of ENTRIES_MAX. */
const OWED_MAX = 1100;
/** Transactions of a row: a stream that is filled has room for whole rows. */
const ROW_IDS = 100;
const { signal } = new AbortController();

/** Stores this many and leaves them in rows of 100, a millisecond apart from `atMs` on. */
async function leaveRows(corridor: string, count: number, atMs: number): Promise<string[]> {
  const ids = await storeTransactions(
    database,
    Array.from({ length: count }, (_, n) => ({ createdAtMs: atMs + n, corridor })),
  );
  for (let at = 0; at < ids.length; at += ROW_IDS)
    await leave(ids.slice(at, at + ROW_IDS), atMs + at);
  return ids;
}

/** Ends the rows of transactions that left their streams, as their scores do. */
async function end(ids: readonly string[]): Promise<void> {
  const text = 'delete from market.open_rows where transaction_ids <@ $1::uuid[]';
  await database.query({ name: 'test-end-rows', text }, [ids]);
}

test('a long backlog of a full stream does not hide what is owed to others behind it', async () => {
  const startMs = old();
  const reconciler = bindReconciler(config(), database, redis, () => undefined);
  const full = await leaveRows('US-EG', 7000, startMs);
  await leaveRows('US-MX', 3, startMs + 20_000);
  expect(await reconciler.run(signal)).toMatchObject({ appended: OWED_MAX + 3, full: true });
  await leaveRows('US-MX', 2, startMs + 30_000);
  expect(await reconciler.run(signal)).toMatchObject({ appended: 2, full: true });
  expect(await appendedTo('US-MX')).toHaveLength(5);
  const taken: string[] = [];
  await waitUntil(
    async () => {
      const here = await appendedTo('US-EG');
      taken.push(...here);
      await end(here);
      await redis.xtrim(streamKeys('market_0', 'US-EG', 0).transactions, 'MAXLEN', 0);
      return !(await reconciler.run(signal)).full;
    },
    20_000,
    'the backlog to be gone',
  );
  expect([...taken, ...(await appendedTo('US-EG'))]).toEqual(full);
});

test('a stream with room again is filled without reading the rest of its backlog', async () => {
  const backlog = await leaveRows('US-EG', 10_000, old());
  const pages: number[] = [];
  const query: Database['query'] = async <Row extends object>(
    statement: Statement,
    values?: readonly unknown[],
  ) => {
    const rows = await database.query<Row>(statement, values);
    if (statement.name === 'load-unscored-by-id') pages.push(rows.length);
    return rows;
  };
  const counted = bindReconciler(config(), { ...database, query }, redis, () => undefined);
  await waitUntil(async () => (await counted.run(signal)).full, 10_000, 'a full stream');
  expect(pages.splice(0)).toEqual([OWED_MAX]);
  const taken = await takeEntries(redis, streamKeys('market_0', 'US-EG', 0), 4);
  await end(taken);
  expect(await counted.run(signal)).toMatchObject({ appended: taken.length, full: true });
  expect(pages).toEqual([taken.length]);
  const left = backlog.slice(taken.length, OWED_MAX + taken.length);
  expect(await appendedTo('US-EG')).toEqual(left);
});
