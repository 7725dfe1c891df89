/**
 * Goal: the files of sql/ make a new database, once each and in order, and an edited one is refused; who waits for them
 * learns whether they are missing or Postgres is down. Method: the
 * baseline with a second migration of the test's own.
 */
import { appendFile, cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { SQL_FOLDER } from '../../src/kit/database/migrations/migration-session.ts';
import { waitForSchema } from '../../src/main/schema-version.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { FIRST_POLICY } from '../support/rooms/review/policy.ts';
import { folderOfFile } from '../support/temporary-folder.ts';

const BASELINE = '0001_market.sql';
const SECOND = '0002_make_something.sql';

const folder = folderOfFile();
await cp(join(SQL_FOLDER, BASELINE), join(folder, BASELINE));
const database = await openForFile(createTestDatabase({ migrated: false }));

const run = async () =>
  await migrate({ url: database.url, market: database.market, corridors: [] }, folder);

test('fields that were declared before have slots in the order of their names', async () => {
  await using older = await createTestDatabase({ migrated: false });
  const options = { url: older.url, market: older.market, corridors: [] };
  await migrate(options, folder);
  await older.sql(
    `insert into metadata_fields (name, type, description, declared_by)
     values ('tier', 'text', 'a', 'Ann'), ('distance', 'number', 'b', 'Ann'), ('known', 'boolean', 'c', 'Ann')`,
  );
  await migrate(options);
  expect(await older.sql('select slot, field, type, kind from field_slots order by slot')).toEqual([
    { slot: 1, field: 'distance', type: 'number', kind: 'tail' },
    { slot: 2, field: 'distance', type: 'number', kind: 'to_account' },
    { slot: 3, field: 'known', type: 'boolean', kind: 'lift' },
    { slot: 4, field: 'tier', type: 'text', kind: 'lift' },
  ]);
});

test('a new database takes the baseline, and later migrations once each', async () => {
  expect((await Promise.all([run(), run()])).flat()).toEqual([BASELINE]);
  await writeFile(join(folder, SECOND), 'create table something (n integer);');
  expect(await run()).toEqual([SECOND]);
  expect(await run()).toEqual([]);
});

test('the first policy is in force, and one that names no currency is refused', async () => {
  const policies = await database.sql('select version, policy, made_by from review_policies');
  expect(policies).toEqual([{ version: 1, policy: FIRST_POLICY, made_by: 'engine' }]);
  for (const policy of ['{"four_eyes_amount": "1"}', '{"currency": "USD"}']) {
    await expect(
      database.sql(`insert into review_policies (policy, made_by) values ($1, 'Cy')`, [policy]),
    ).rejects.toThrow('policy_names_its_currency');
  }
});

test('a file that was applied with another text is refused, and nothing after it is applied', async () => {
  await appendFile(join(folder, BASELINE), '-- Edited.\n');
  await writeFile(join(folder, '0003_make_more.sql'), 'create table more (n integer);');
  await expect(run()).rejects.toMatchObject({
    code: 'MIGRATION_EDITED',
    message: expect.stringContaining(BASELINE),
  });
  expect(await database.sql(`select to_regclass('more') as made`)).toEqual([{ made: null }]);
});

test('a missing schema is false, a Postgres that is down is a failure', async () => {
  await using bare = await createTestDatabase({ migrated: false });
  await using there = bare.open();
  expect(await waitForSchema(there, 1, new AbortController().signal)).toBe(false);
  await using away = bare.open({ url: 'postgres://risk@127.0.0.1:1/risk', connectTimeoutMs: 200 });
  await expect(waitForSchema(away, 1, new AbortController().signal)).rejects.toMatchObject({
    ...{ kind: 'unavailable', message: expect.stringContaining('ECONNREFUSED') },
  });
  expect(await waitForSchema(away, 1, AbortSignal.abort())).toBe(false);
});
