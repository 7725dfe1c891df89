/** A lock that keeps submissions in the database for as long as a test wants. */
import { expect } from 'vitest';
import type { RunningApi } from './running-api.ts';
import { input, postOne } from './submit.ts';

type Lock = AsyncDisposable & { readonly letGo: () => Promise<void> };

/** Locks inserts, so that submissions wait in the database until somebody lets go. */
export async function lockTransactions(api: RunningApi): Promise<Lock> {
  // The month exists after this post; the first row of a month would wait for something else, to make the month.
  expect((await postOne(api, input())).status).toBe(201);
  const locked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const session = api.database.session(async (client) => {
    await client.query('begin');
    await client.query('lock table market_0.transactions in access exclusive mode');
    locked.resolve();
    await release.promise;
    await client.query('rollback');
  });
  await Promise.race([locked.promise, session]);
  const letGo = async () => {
    release.resolve();
    await session;
  };
  return { letGo, [Symbol.asyncDispose]: letGo };
}

/** Submissions that wait for the lock. Live figures wait for it as well, to read, and are not counted. */
export const waiting = async (api: RunningApi): Promise<number> => {
  const [row] = await api.testDatabase.sql<{ waiting: number }>(
    `select count(*)::int as waiting from pg_locks
      where relation = 'market_0.transactions'::regclass and mode = 'RowExclusiveLock' and not granted`,
  );
  return row?.waiting ?? 0;
};
