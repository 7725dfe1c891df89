/**
 * Goal: transactions that an API appended to a lost Redis are appended again, although the API was suspended
 * and closes its batch only after the recovery has relied on it. Method: reconciler, loss and the API's last
 * write on real Postgres and Redis, one after the other or waiting for each other's locks.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bindReconciler } from '../../src/core/repair/reconcile-duty.ts';
import {
  deleteIngestBatches,
  narrowIngestBatch,
  takeOverIngestBatches,
} from '../../src/core/store/recovery/ingest-batches.ts';
import type { Database, Query } from '../../src/kit/database/pool.ts';
import { openCommands, type RedisClient } from '../../src/kit/redis/connection.ts';
import { testConfig } from '../support/config.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startTestRedis, type TestService } from '../support/services.ts';
import { idAt, storeOpenBatch, storeTransactions } from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';

const DEADLINE_MS = 30_000;
const RECEIVED_MS = Date.now() - 600_000;
const STREAM = '{market_0:US-EG:0}:transactions';

let testDatabase: TestDatabase;
let database: Database;
let service: TestService;
let redis: RedisClient;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.open({ connectionsMax: 3 });
  service = await startTestRedis();
  redis = openCommands(service.url, 2000);
  await waitUntil(() => redis.status === 'ready', DEADLINE_MS, 'redis');
});
afterAll(async () => {
  redis.disconnect();
  await service[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

let ids: string[];
let batchId: string;

/** A batch of three that is old enough for the reconciler. */
beforeEach(async () => {
  await testDatabase.sql('truncate transactions, ingest_batches');
  ids = await storeTransactions(
    database,
    [0, 1, 2].map((n) => ({ createdAtMs: RECEIVED_MS + n })),
  );
  batchId = idAt(RECEIVED_MS);
  await storeOpenBatch(database.query, batchId, new Date(RECEIVED_MS), ids);
});

/** The calls of an API that has appended all of its batch, or all but the last transaction. */
const REQUESTS: [string, (query: Query) => Promise<void>][] = [
  ['closed', (query) => deleteIngestBatches({ query }, [batchId], 'request')],
  ['narrowed', (query) => narrowIngestBatch({ query }, batchId, ids.slice(2), 'request')],
];

describe.each(REQUESTS)('a batch that its request has %s', (_, end) => {
  test('after a recovery has relied on it is appended all the same', async () => {
    await redis.flushall();
    const config = testConfig({ RISK_RECONCILE_AGE_MS: '500' });
    const reconciler = bindReconciler(config, database, redis, () => undefined);
    // A run that ends at once makes a step of the recovery, and reaches no open batch.
    const isRecovered = async () => !(await reconciler.run(AbortSignal.abort())).recovering;
    await waitUntil(isRecovered, DEADLINE_MS, 'the end of the recovery');
    expect(await readEntries(redis, STREAM)).toEqual([]);
    await end(database.query);
    const isClosed = async () => {
      await reconciler.run(new AbortController().signal);
      return (await testDatabase.sql('select from ingest_batches')).length === 0;
    };
    await waitUntil(isClosed, DEADLINE_MS, 'the batch to be closed');
    const payloads = await readEntries(redis, STREAM);
    expect(payloads.map(({ transaction }) => transaction.transactionId)).toEqual(ids);
  });

  test('while it is taken over owes no more than that leaves', async () => {
    let taken: ReturnType<typeof takeOverIngestBatches> | undefined;
    await database.transaction(async (query) => {
      await end(query);
      taken = takeOverIngestBatches(database, [batchId]);
      const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      const isWaiting = async () => (await testDatabase.sql(waiting)).length === 1;
      await waitUntil(isWaiting, DEADLINE_MS, 'who takes over to wait');
    });
    const left = await testDatabase.sql<{ ids: string[] }>(
      'select transaction_ids as ids from ingest_batches',
    );
    const owing = (await taken)?.map(({ transactionIds }) => transactionIds);
    expect(owing).toEqual(left.map((row) => row.ids));
    expect(owing?.flat()).not.toContain(ids[0]);
  });
});
