/**
 * Goal: a full pool is known by the driver's words, which an update of the driver may change. Method: a pool that is full, and a server
 * that does not even end a statement at its deadline.
 */
import { expect, test } from 'vitest';
import { isPoolBusy } from '../../src/kit/database/outage.ts';
import { openPool } from '../../src/kit/database/pool.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const testDatabase = await openForFile(createTestDatabase());
const asked = { text: 'select 1' };
const thrownBy = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

test('a caller for whom no connection is free in time is told that the pool is busy', async () => {
  await using database = testDatabase.open({ connectionsMax: 1, connectTimeoutMs: 200 });
  await database.query(asked);
  const thrown = await database.session(() => thrownBy(database.query(asked)));
  expect(isPoolBusy(thrown)).toBe(true);
});

test('a server that does not answer at all is unavailable, and the pool is not busy', async () => {
  await using proxy = await startTcpProxy(testDatabase.url);
  await using database = openPool({
    ...{ url: proxy.url, market: testDatabase.market, role: 'test', namedStatements: false },
    ...{ connectionsMax: 1, connectTimeoutMs: 10_000, statementTimeoutMs: 200 },
  });
  await database.query(asked);
  proxy.inflict({ kind: 'silence' });
  const thrown = await thrownBy(database.query(asked));
  expect(isPoolBusy(thrown)).toBe(false);
  expect(thrown).toMatchObject({ kind: 'unavailable' });
});
