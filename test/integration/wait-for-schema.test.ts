/**
 * Goal: a process that waits for its schema learns whether the schema is missing or Postgres is down. Method: a database
 * without a schema, and a port that nobody listens to.
 */
import { expect, test } from 'vitest';
import { waitForSchema } from '../../src/kit/database/migrations/schema-version.ts';
import { createTestDatabase } from '../support/database.ts';

const { signal } = new AbortController();

test('a missing schema is false, a Postgres that is down is a failure', async () => {
  await using bare = await createTestDatabase({ migrated: false });
  await using there = bare.open();
  expect(await waitForSchema(there, 1, signal)).toBe(false);
  await using away = bare.open({ url: 'postgres://risk@127.0.0.1:1/risk', connectTimeoutMs: 200 });
  await expect(waitForSchema(away, 1, signal)).rejects.toMatchObject({
    ...{ kind: 'unavailable', message: expect.stringContaining('ECONNREFUSED') },
  });
  expect(await waitForSchema(away, 1, AbortSignal.abort())).toBe(false);
});
