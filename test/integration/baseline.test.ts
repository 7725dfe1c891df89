/**
 * Goal: the baseline makes a new database, adopts one that all older migrations made, and refuses any other by name. Method:
 * a database that the baseline made, whose records say what `risk migrate` of commit e841d723 recorded; a session that holds
 * locks on all tables meanwhile.
 */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { marketUrl } from '../../bench/support/market.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import {
  type Checksum,
  readReplaced,
  SQL_FOLDER,
} from '../../src/kit/database/migrations/migration-files.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { FIRST_POLICY } from '../support/rooms/review/policy.ts';
import { runRisk } from '../support/run-risk.ts';

const BASELINE = '0044_create_market.sql';
const NEXT = '0045_test_next.sql';

/** Holds the baseline, what it replaced, and one migration after it. */
const folder = await mkdtemp(join(tmpdir(), 'risk-sql-'));
for (const name of [BASELINE, 'replaced.sha256']) {
  await copyFile(join(SQL_FOLDER, name), join(folder, name));
}
const replaced = await readReplaced(folder);
const database = await openForFile(createTestDatabase({ migrated: false }));
afterAll(() => rm(folder, { recursive: true }));

const run = async () =>
  await migrate(
    { url: database.url, market: database.market, corridors: [], lockAttemptsMax: 1 },
    folder,
  );
const recorded = async () =>
  (await database.sql<Checksum>('select name, checksum from schema_migrations order by name')).map(
    ({ name, checksum }) => ({ name, checksum }),
  );

test('a new database takes the baseline alone', async () => {
  expect(await run()).toEqual([BASELINE]);
  expect(await recorded()).toMatchObject([{ name: BASELINE }]);
  expect(await run()).toEqual([]);
});

describe('a database that older migrations made', () => {
  beforeEach(async () => {
    await database.sql('truncate schema_migrations, unfinished_migrations');
    await database.sql(
      `insert into schema_migrations (name, checksum) select * from unnest($1::text[], $2::text[])`,
      [replaced.map(({ name }) => name), replaced.map(({ checksum }) => checksum)],
    );
  });

  /** Changes with every row of the catalog that is written. */
  const catalog = async () =>
    await database.sql(
      `select (select md5(string_agg(xmin::text, ' ' order by oid)) from pg_class) as classes,
              (select md5(string_agg(xmin::text, ' ' order by attrelid, attnum)) from pg_attribute) as attributes,
              (select md5(string_agg(xmin::text, ' ' order by oid)) from pg_constraint) as constraints,
              (select md5(string_agg(xmin::text, ' ' order by oid)) from pg_trigger) as triggers,
              (select md5(string_agg(xmin::text, ' ' order by oid)) from pg_proc) as functions,
              (select md5(string_agg(xmin::text, ' ' order by classoid, objoid, objsubid)) from pg_description) as comments`,
    );

  test('is adopted as it is, beside a process that works, once, and older processes start still', async () => {
    const before = await catalog();
    const working = new pg.Client({ connectionString: marketUrl(database.url) });
    await working.connect();
    try {
      await working.query('begin');
      await working.query(
        `do $$ declare t text; begin
           for t in select format('%s.%I', relnamespace::regnamespace, relname) from pg_class
                     where relkind in ('r', 'p') and relnamespace in ('market_0'::regnamespace, 'shared'::regnamespace)
           loop execute 'lock table ' || t || ' in row exclusive mode'; end loop;
         end $$`,
      );
      expect(await Promise.all([run(), run()])).toEqual([[], []]);
    } finally {
      await working.end();
    }
    expect(await catalog()).toEqual(before);
    const names = (await recorded()).map(({ name }) => name);
    expect(names.toSorted()).toEqual([...replaced.map(({ name }) => name), BASELINE].toSorted());
    expect(names).toHaveLength(42);
    await writeFile(join(folder, NEXT), 'create table next (n integer);');
    expect(await run()).toEqual([NEXT]);
    await rm(join(folder, NEXT));
  });

  test.each([
    ['one in the middle is missing', `name like '0017%'`, '0017_store_vectors_as_bytes.sql'],
    ['the last is missing', `name like '0044%'`, '0044_compare_in_market_currency.sql'],
    ['all after the first are missing', `name > '0002'`, '0002_create_transactions.sql'],
  ])('is refused where %s, and stays as it is', async (_, where, missing) => {
    await database.sql(`delete from schema_migrations where ${where}`);
    // A migration that was interrupted is not applied either.
    await database.sql(
      `insert into unfinished_migrations (name, checksum, steps_done) values ($1, '', 1)`,
      [missing],
    );
    const before = await recorded();
    await expect(run()).rejects.toMatchObject({
      code: 'MIGRATION_TOO_OLD',
      message: expect.stringContaining(`market_0 lacks the migration ${missing}`),
    });
    expect(await recorded()).toEqual(before);
  });

  test('is refused by the command, which says what has to migrate it', async () => {
    await database.sql(`delete from schema_migrations where name > '0040'`);
    const { code, stderr } = await runRisk(['migrate'], { DATABASE_URL: database.url });
    expect(code).toBe(1);
    expect(stderr).toMatch(/lacks the migration 0040_create_sessions\.sql.*commit e841d723 first/);
  });

  test('is refused where one of them had another text', async () => {
    await database.sql(`update schema_migrations set checksum = 'x' where name like '0030%'`);
    await expect(run()).rejects.toMatchObject({
      code: 'MIGRATION_EDITED',
      message: expect.stringContaining('0030_part_markets.sql'),
    });
  });
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
