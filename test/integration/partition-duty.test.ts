/**
 * Goal: the duty of months sends one notice after each change of the months, and none while they stay. Method: the duty on a
 * real Postgres; a notice is a new version of the row that `set statistics` writes.
 */
import { afterAll, expect, test } from 'vitest';
import { bindPartitions } from '../../src/core/repair/partition-duty.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { parseMonth } from '../../src/kit/words/month.ts';
import { createTestDatabase } from '../support/database.ts';

const testDatabase = await createTestDatabase();
afterAll(() => testDatabase[Symbol.asyncDispose]());

const versions = () =>
  testDatabase.sql<{ name: string; version: string }>(
    `select attrelid::regclass::text as name, xmin::text as version from pg_attribute
      where attrelid in ('transactions'::regclass, 'scores'::regclass, 'labels'::regclass) and attname = 'created_at'
      order by 1`,
  );

test('a notice follows a change of the months by one run', async () => {
  await using pool = testDatabase.open();
  await using leadership = createLeadership(pool, 'test');
  const duty = bindPartitions(leadership);
  const { signal } = new AbortController();
  await duty.run(signal);
  await duty.run(signal);
  const before = await versions();
  await duty.run(signal);
  expect(await versions()).toEqual(before);

  await ensurePartitions(pool, [parseMonth('1999-05') ?? Number.NaN]);
  await duty.run(signal);
  expect(await versions()).toEqual(before);
  await duty.run(signal);
  const after = await versions();
  expect(after.filter((row, index) => row.version !== before[index]?.version)).toHaveLength(3);
  await duty.run(signal);
  expect(await versions()).toEqual(after);
});

test('a month is made in few round trips, as a post waits for it', async () => {
  await using pool = testDatabase.open();
  let sent = 0;
  const counted =
    (query: Query): Query =>
    (...call) => {
      sent += 1;
      return query(...call);
    };
  const database = {
    query: counted(pool.query),
    transaction: <T>(work: (query: Query) => Promise<T>) =>
      pool.transaction((query) => work(counted(query))),
  };
  expect(await ensurePartitions(database, [parseMonth('1998-05') ?? Number.NaN])).toHaveLength(3);
  expect(sent).toBeLessThanOrEqual(11);
});
