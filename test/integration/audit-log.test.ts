/**
 * Goal: ids of the audit log have the order of commits and no gaps, and rows never change. Method: many writers, some of
 * which fail, and SQL that tries to change rows.
 */
import { expect, test } from 'vitest';
import { recordChange } from '../../src/kit/audit/audit-log.ts';
import { engineOf } from '../../src/kit/words/principal.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';

const testDatabase = await openForFile(createTestDatabase());

test('ids have the order of commits and no gaps, however many write and fail', async () => {
  await using database = testDatabase.open();
  const change = { action: 'key.revoke', before: null, after: null } as const;
  let committed = 0;
  const changes = Array.from({ length: 24 }, (_, n) =>
    database
      .transaction(async (query) => {
        await recordChange(query, engineOf('test'), { ...change, subject: String(n) });
        if (n % 3 === 0) throw new Error('afterwards');
      })
      .then(() => {
        committed += 1;
      }),
  );
  await Promise.allSettled(changes);
  const rows = await testDatabase.sql<{ id: string }>(
    'select audit_id as id from audit_log order by audit_id',
  );
  expect(committed).toBe(16);
  expect(rows.map(({ id }) => Number(id))).toEqual(rows.map((_, at) => at + 1));
  expect(rows).toHaveLength(committed);
});

test.each(['update audit_log set who = who', 'delete from audit_log', 'truncate audit_log'])(
  'rows are only appended: %s',
  async (text) => {
    const rows = 'select * from audit_log order by audit_id';
    const before = await testDatabase.sql(rows);
    await expect(testDatabase.sql(text)).rejects.toThrow(/never changed/);
    expect(await testDatabase.sql(rows)).toEqual(before);
  },
);

test('also where session_replication_role leaves other triggers out', async () => {
  const text = `select tgenabled as enabled from pg_trigger where tgrelid = 'audit_log'::regclass`;
  expect(await testDatabase.sql(text)).toEqual([{ enabled: 'A' }]);
});
