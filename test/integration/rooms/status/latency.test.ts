/**
 * Goal: the latency is that of the transactions that were scored last, and costs the same for any number of rows and readers.
 * Method: stored rows, the plans that the server executed, and counted statements.
 */
import { beforeEach, expect, test } from 'vitest';
import type { Query } from '../../../../src/kit/database/pool.ts';
import {
  LATENCY_SAMPLE_MAX,
  type Latencies,
  readLatencies,
} from '../../../../src/rooms/status/store/latency-sample.ts';
import { openTestDatabase } from '../../../support/database.ts';
import { rowsRead } from '../../../support/rows-read.ts';
import { storeTransactions, type TransactionSeed } from '../../../support/stored-rows.ts';

/** Near the start of a month, so that the sample spans two. */
const NOW_MS = Date.UTC(2026, 10, 1, 0, 10);
const MINUTE_MS = 60_000;

const { testDatabase, database } = await openTestDatabase();

beforeEach(() => testDatabase.sql('truncate transactions, scores'));

/** Scores the transactions of an account so many milliseconds after they were received. */
const scoreAfter = (accountId: string, ms: number) =>
  testDatabase.sql(
    `update scores s set scored_at = t.received_at + $2 * interval '1 ms' from transactions t
      where t.account_id = $1 and t.transaction_id = s.transaction_id and t.created_at = s.created_at`,
    [accountId, ms],
  );

test('is given by corridor and over all, in milliseconds, with the newest', async () => {
  const seed = (accountId: string, minutesAgo: number, more: Partial<TransactionSeed> = {}) => {
    const createdAtMs = NOW_MS - minutesAgo * MINUTE_MS;
    return { createdAtMs, accountId, score: 1, ...more };
  };
  await storeTransactions(database, [
    seed('quick', 1),
    seed('quick', 2),
    seed('slow', 20),
    // Received long after it happened, and scored before it was received, as a worker's clock has it.
    seed('behind', 30, { corridor: 'GB-NG', receivedAtMs: NOW_MS - MINUTE_MS }),
    seed('ahead', -40 * 24 * 60, { corridor: 'US-MX' }),
    seed('older', 62 * 24 * 60, { corridor: 'US-GT' }),
    { createdAtMs: NOW_MS, corridor: 'US-BR' },
  ]);
  await scoreAfter('quick', 40);
  await scoreAfter('slow', 9000);
  await scoreAfter('behind', -3);
  const { all, byCorridor } = await readLatencies(database, NOW_MS);
  expect(all).toMatchObject({ p50Ms: 40, p95Ms: 9000, transactions: 4 });
  expect(Object.fromEntries(byCorridor)).toMatchObject({
    'US-EG': {
      ...{ p50Ms: 40, p95Ms: 9000, transactions: 3 },
      newestAt: new Date(NOW_MS - MINUTE_MS + 40),
    },
    'GB-NG': { p50Ms: 0, p95Ms: 0, transactions: 1 },
  });
  expect(byCorridor.size).toBe(2);
});

test('reads the last blocks of its tables, which hold the newest scores, even of old transactions', async () => {
  const stored = 20 * LATENCY_SAMPLE_MAX;
  await storeTransactions(
    database,
    Array.from({ length: stored }, (_, nth) => ({
      createdAtMs: NOW_MS - nth * 60_000,
      receivedAtMs: NOW_MS - (stored - nth) * 1000,
      accountId: nth >= stored - LATENCY_SAMPLE_MAX ? 'scored last' : 'other',
      score: 1,
    })),
  );
  await testDatabase.sql('analyze transactions, scores');
  let latencies: Latencies | undefined;
  const read = await rowsRead(database, async (query: Query) => {
    latencies = await readLatencies({ query }, NOW_MS);
  });
  expect(latencies?.all).toMatchObject({
    ...{ p95Ms: 50, transactions: LATENCY_SAMPLE_MAX },
    newestAt: new Date(NOW_MS - 1000 + 50),
  });
  const of = (table: string) =>
    [...read].reduce((sum, [name, rows]) => sum + (name.startsWith(table) ? rows : 0), 0);
  expect(of('transactions')).toBe(LATENCY_SAMPLE_MAX);
  expect(of('scores')).toBeLessThan(stored / 2);
});
