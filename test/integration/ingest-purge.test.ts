/** Idempotency keys are forgotten after their retention, page by page, and not before. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { purgeIdempotencyKeys } from '../../src/ingest/purge-keys.ts';
import { purgeIdempotencyKeys as purgeRows } from '../../src/store/idempotency-keys.ts';
import type { Database } from '../../src/store/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const DAY_MS = 86_400_000;

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.open();
  await testDatabase.sql(
    `insert into idempotency_keys
     select 'c', 'k' || n, sha256('x'), gen_random_uuid(), now() - make_interval(days => case when n % 2 = 0 then 91 else 89 end)
       from generate_series(1, 6000) n`,
  );
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

const left = async () =>
  (
    await testDatabase.sql<{ rows: number }>('select count(*)::int as rows from idempotency_keys')
  )[0]?.rows;

const dependencies = (pages: number[]) => ({
  purge: async (before: Date, rowsMax: number) => {
    const rows = await purgeRows(database, before, rowsMax);
    pages.push(rows);
    return rows;
  },
  retentionDays: 90,
  now: Date.now,
});

test('stops at the signal', async () => {
  expect(await purgeIdempotencyKeys(dependencies([]), AbortSignal.abort())).toBe(0);
  expect(await left()).toBe(6000);
});

test('forgets what is older than the retention, a page at a time', async () => {
  const pages: number[] = [];
  const { signal } = new AbortController();
  expect(await purgeIdempotencyKeys(dependencies(pages), signal)).toBe(3000);
  expect(pages.length).toBeGreaterThan(1);
  expect(await left()).toBe(3000);
  const later = { ...dependencies([]), now: () => Date.now() + 2 * DAY_MS };
  expect(await purgeIdempotencyKeys(later, signal)).toBe(3000);
});
