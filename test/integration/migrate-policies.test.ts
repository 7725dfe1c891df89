/**
 * Goal: policies and cases of an older build compare in US dollars as before, and nothing else of them changes. Method: a database as
 * the migrations before 0044 made it, with a second policy and cases, and the API's own reads afterwards.
 */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { SQL_FOLDER } from '../../src/kit/database/migrations/migration-files.ts';
import { readCase } from '../../src/rooms/review/store/review-cases.ts';
import { readPolicy } from '../../src/rooms/review/store/review-policies.ts';
import { createTestDatabase } from '../support/database.ts';
import { FIRST_POLICY } from '../support/review-policy.ts';
import { idAt } from '../support/stored-rows.ts';

const MIGRATION = '0044_compare_in_market_currency.sql';
const IDS = [1, 2].map((ms) => idAt(Date.UTC(2026, 10, 20) + ms));

test('policies and cases in dollars keep their amounts, and policies in the older form are refused', async () => {
  await using testDatabase = await createTestDatabase({ migrated: false });
  const { sql } = testDatabase;
  const older = await mkdtemp(join(tmpdir(), 'risk-sql-'));
  for (const name of await readdir(SQL_FOLDER)) {
    if (name < MIGRATION) await cp(join(SQL_FOLDER, name), join(older, name));
  }
  const options = { url: testDatabase.url, market: testDatabase.market, corridors: [] };
  await migrate(options, older);
  await rm(older, { recursive: true });
  const add = `insert into review_policies (policy, made_by)
               select policy || '{"four_eyes_amount_usd": "7000"}', 'Cy' from review_policies where version = 1`;
  await sql(add);
  await sql(
    `insert into review_cases (transaction_id, created_at, account_id, merchant_id, corridor, amount, currency, amount_usd,
            rate_day, reasons, source, priority, policy, opened_by, due_at)
     select id, now(), 'acc_1', 'm_1', 'US-EG', 10, 'EUR', usd, day, '{}', 'verdict', 4, policy, 'engine', now()
       from unnest($1::uuid[], '{11.00,null}'::numeric[], '{2026-11-20,null}'::date[], '{1,2}'::int[]) u (id, usd, day, policy)`,
    [IDS],
  );
  expect(await migrate(options)).toContain(MIGRATION);

  await using database = testDatabase.open();
  const policies = await sql('select policy, made_by from review_policies order by version');
  expect(policies).toEqual([
    { policy: FIRST_POLICY, made_by: 'engine' },
    { policy: { ...FIRST_POLICY, four_eyes_amount: '7000' }, made_by: 'Cy' },
  ]);
  expect(await readPolicy(database)).toMatchObject({ version: 2 });
  const cases = await Promise.all(IDS.map((id) => readCase(database.query, id)));
  expect(cases).toMatchObject([
    {
      ...{ marketAmount: '11.00', marketCurrency: 'USD', rateDay: '2026-11-20' },
      fourEyesAmount: '5000',
    },
    {
      ...{ marketAmount: null, marketCurrency: 'USD', rateDay: null },
      fourEyesAmount: '7000',
    },
  ]);
  await expect(
    sql(
      `insert into review_policies (policy, made_by) values ('{"four_eyes_amount_usd": "1"}', 'Cy')`,
    ),
  ).rejects.toThrow('policy_names_its_currency');
  await expect(sql(`update review_policies set made_by = 'x'`)).rejects.toThrow('never change');
});
