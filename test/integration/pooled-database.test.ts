/**
 * Goal: behind a transaction-pooling proxy a unit of work has its deadlines and settings, and leaves nothing of them on the connection.
 * `npm run setups -- pgbouncer` runs the whole engine behind a real one.
 */
import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';

const STATEMENT_MS = 400;
const settings = {
  text: `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
                current_setting('idle_in_transaction_session_timeout') as idle, current_setting('enable_sort') as sort`,
};

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(
  testDatabase.open({
    ...{ connectionsMax: 1, namedStatements: false, statementTimeoutMs: STATEMENT_MS },
    ...{ lockTimeoutMs: 300, isPooled: true, settings: { enable_sort: 'off' } },
  }),
);

test('every kind of unit has them, and the connection none', async () => {
  const own = {
    ...{ statement: '400ms', lock: '300ms', idle: '800ms', sort: 'off' },
  };
  const none = { statement: '0', lock: '0', idle: '0', sort: 'on' };
  expect(await database.query(settings)).toEqual([own]);
  expect(await database.write(settings)).toEqual([own]);
  expect(await database.transaction((query) => query(settings))).toEqual([own]);
  await database.session(async (client, begin) => {
    expect((await client.query(settings.text)).rows).toEqual([none]);
    await begin('isolation level repeatable read');
    expect((await client.query(settings.text)).rows).toEqual([own]);
    await client.query('rollback');
  });
  const bare = { ...settings, outsideTransaction: true };
  expect(await database.query(bare)).toEqual([none]);
});

test('a statement that takes too long ends, and with it what it wrote', async () => {
  const corridors = { text: 'select count(*)::int as count from shared.corridors' };
  const before = await database.query(corridors);
  const slow = {
    text: `with written as (insert into shared.corridors (corridor) values ('XX-YY') returning 1)
           select pg_sleep(30) from written`,
  };
  await expect(database.write(slow)).rejects.toMatchObject({ kind: 'unavailable' });
  expect(await database.query(corridors)).toEqual(before);
});
