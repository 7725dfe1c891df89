/**
 * Goal: a stream that is full waits alone, with a backlog of rows that were left, and nothing that waits is appended again. Method: the reconciler on real Postgres
 * and Redis with small streams, run by run.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Reconciler } from '../../src/core/repair/reconcile.ts';
import { bindReconciler } from '../../src/core/repair/reconcile.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import type { Database, Statement } from '../../src/kit/database/pool.ts';
import { openCommands, type RedisClient } from '../../src/kit/redis/connection.ts';
import { testConfig } from '../support/config.ts';
import { createTestDatabase } from '../support/database.ts';
import { startTestRedis } from '../support/services.ts';
import { storeOpenRows, storeTransactions } from '../support/stored-rows.ts';
import { readEntries, takeEntries } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';

const ENTRIES_MAX = 1000;
/** How full the reconciler fills a stream. */
const OWED_MAX = 1100;
/** Transactions of a row: a stream that is filled has room for whole rows. */
const ROW_IDS = 100;
const { signal } = new AbortController();
let stack: AsyncDisposableStack;
let database: Database;
let redis: RedisClient;
let reconciler: Reconciler;
let startMs: number;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(stack.use(await createTestDatabase()).open());
  const service = stack.use(await startTestRedis());
  redis = openCommands(service.url, 2000);
  stack.defer(() => redis.disconnect());
  await waitUntil(() => redis.status === 'ready', 5000, 'redis');
  const settings = {
    RISK_RECONCILE_AGE_MS: '500',
    RISK_STREAM_ENTRIES_MAX: String(ENTRIES_MAX),
  };
  reconciler = bindReconciler(testConfig(settings), database, redis, () => undefined);
  startMs = Date.now() - 600_000;
});
afterEach(async () => {
  await stack.disposeAsync();
});

const keysOf = (corridor: string) => streamKeys('market_0', corridor, 0);

/** Stores this many, a millisecond apart from `atMs` on. */
const store = async (corridor: string, count: number, atMs = startMs) =>
  await storeTransactions(
    database,
    Array.from({ length: count }, (_, n) => ({ createdAtMs: atMs + n, corridor })),
  );

/** Rows of 100 whose append has failed, the first ones first. */
async function leave(ids: readonly string[], atMs = startMs): Promise<void> {
  for (let at = 0; at < ids.length; at += ROW_IDS) {
    await storeOpenRows(database.query, new Date(atMs + at), ids.slice(at, at + ROW_IDS));
  }
}

/** Ends the rows of transactions that left their streams, as their scores do. */
async function end(ids: readonly string[]): Promise<void> {
  const text = 'delete from market.open_rows where transaction_ids <@ $1::uuid[]';
  await database.query({ name: 'test-end-rows', text }, [ids]);
}

async function streamed(corridor: string): Promise<string[]> {
  const payloads = await readEntries(redis, keysOf(corridor).transactions);
  return payloads.map(({ transaction }) => transaction.transactionId);
}

test('a long backlog of a full stream does not hide what is owed to others behind it', async () => {
  const full = await store('US-EG', 7000);
  await leave(full);
  await leave(await store('US-MX', 3, startMs + 20_000), startMs + 20_000);
  expect(await reconciler.run(signal)).toMatchObject({ appended: OWED_MAX + 3, full: true });
  await leave(await store('US-MX', 2, startMs + 30_000), startMs + 30_000);
  expect(await reconciler.run(signal)).toMatchObject({ appended: 2, full: true });
  expect(await streamed('US-MX')).toHaveLength(5);
  const taken: string[] = [];
  await waitUntil(
    async () => {
      const here = await streamed('US-EG');
      taken.push(...here);
      await end(here);
      await redis.xtrim(keysOf('US-EG').transactions, 'MAXLEN', 0);
      return !(await reconciler.run(signal)).full;
    },
    20_000,
    'the backlog to be gone',
  );
  expect([...taken, ...(await streamed('US-EG'))]).toEqual(full);
});

test('a stream with room again is filled without reading the rest of its backlog', async () => {
  const backlog = await store('US-EG', 30_000);
  await leave(backlog);
  const pages: number[] = [];
  const query: Database['query'] = async <Row extends object>(
    statement: Statement,
    values?: readonly unknown[],
  ) => {
    const rows = await database.query<Row>(statement, values);
    if (statement.name === 'load-unscored-by-id') pages.push(rows.length);
    return rows;
  };
  const settings = { RISK_RECONCILE_AGE_MS: '500', RISK_STREAM_ENTRIES_MAX: String(ENTRIES_MAX) };
  const counted = bindReconciler(
    testConfig(settings),
    { ...database, query },
    redis,
    () => undefined,
  );
  await waitUntil(async () => (await counted.run(signal)).full, 10_000, 'a full stream');
  expect(pages.splice(0)).toEqual([OWED_MAX]);
  const taken = await takeEntries(redis, keysOf('US-EG'), 4);
  await end(taken);
  expect(await counted.run(signal)).toMatchObject({ appended: taken.length, full: true });
  expect(pages).toEqual([taken.length]);
  expect(await streamed('US-EG')).toEqual(backlog.slice(taken.length, OWED_MAX + taken.length));
});
