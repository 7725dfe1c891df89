/** Sessions of a pool: an answer leaves them, even one of a missing table, doubt ends them, and no default of the server isolates them. */
import { beforeEach, expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';

let before: number | undefined;
const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(
  testDatabase.open({ connectionsMax: 1, statementTimeoutMs: 500 }),
);

beforeEach(async () => {
  before = await pid();
});
const pid = async () =>
  (await database.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' }))[0]?.pid;

const KINDS = {
  query: (text: string) => database.query({ text }),
  write: (text: string) => database.write({ text }),
  transaction: (text: string) => database.transaction((query) => query({ text })),
} as const;

test.each(Object.entries(KINDS))('an error in a %s leaves the session', async (_, run) => {
  await expect(run('select from market.gone')).rejects.toMatchObject({ code: 'SCHEMA_MISSING' });
  await expect(run('select 1 / 0')).rejects.toMatchObject({ code: 'POSTGRES_22012' });
  expect(await pid()).toBe(before);
});

test.each(Object.entries(KINDS))('a %s that takes too long ends the session', async (_, run) => {
  await expect(run('select pg_sleep(5)')).rejects.toMatchObject({ kind: 'unavailable' });
  expect(await pid()).not.toBe(before);
});

test.each([false, true])(
  'statements read what is committed, where pooled is %s',
  async (isPooled) => {
    await testDatabase.sql(
      `alter database ${testDatabase.name} set default_transaction_isolation = 'serializable'`,
    );
    await using own = testDatabase.open({ isPooled, namedStatements: !isPooled });
    const isolation = { text: `select current_setting('transaction_isolation') as level` };
    const committed = [{ level: 'read committed' }];
    expect(await own.query(isolation)).toEqual(committed);
    expect(await own.write(isolation)).toEqual(committed);
    expect(await own.transaction((query) => query(isolation))).toEqual(committed);
  },
);
