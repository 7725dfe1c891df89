/**
 * Goal: rows that were stored before there were daily tallies are counted by the migration; an answer reads a bounded
 * number of increments and says until when it is complete. Method: a database as the migrations before made it, with
 * rows in it, then the engine's own reading.
 */
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SumQuestion, sumDays } from '../../src/core/store/tallies/day-sums.ts';
import { mergeIncrements, readTotals } from '../../src/core/store/tallies/day-tallies.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { verifyDays } from '../../src/rooms/evidence/verify/tallies.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { makeMonthsAsBefore } from '../support/months-as-before.ts';

const SQL = fileURLToPath(new URL('../../sql/', import.meta.url));
const MIGRATION = '_create_daily_tallies.sql';
const DAY_MS = 86_400_000;
const AT_MS = Date.UTC(2026, 4, 31, 12);
const ROWS = 60;
const { signal } = new AbortController();

/**
 * Rows of two days in two months; two of three are scored, half of them with a reason, and one in ten is given up. Ten are
 * labelled, four of them twice.
 */
const AS_BEFORE = [
  `create temp table made as
   select n, gen_random_uuid() as id, to_timestamp($1::float8 / 1000) + n % 2 * interval '1 day' as at from generate_series(1, $2::int) n`,
  `insert into market_0.transactions (transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency)
   select id, at, now(), 'acc_1', 'm_1', 'US-EG', n + 0.25, case n % 3 when 0 then 'EUR' else 'USD' end from made`,
  `insert into market_0.scores (transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons,
                       features, feature_schema, rule_set, model, attempts, degradation)
   select id, at, now(), 'acc_1', 'US-EG', n, 0.1, 'approve', case n % 2 when 0 then '[{"code":"MODEL"}]'::jsonb else '[]' end, '', 1, 'default@1', case n % 2 when 0 then 'm@1' end, 1, 0
     from made where n % 3 > 0`,
  `insert into market_0.labels (transaction_id, created_at, labelled_at, label, source, received_at, batch_id, account_id, merchant_id)
   select id, at, at + later, label, 'bank', now(), gen_random_uuid(), 'acc_1', 'm_1'
     from made, (values ('fraud', interval '1 hour', 10), ('legitimate', '2 hours', 4)) l (label, later, to_n) where n <= to_n`,
  `insert into market_0.dead_letters (dead_letter_id, transaction_id, corridor, stream, entry_id, attempts, error_code, error, entry,
                             failed_at, replayed_at, purged_at)
   select gen_random_uuid(), id, 'GB-NG', 's', '1-' || n, 4, 'TEST', 'test', '{}', at, case when n = 10 then at end,
          case when n = 20 then at end
     from made where n % 10 = 0`,
];

let testDatabase: TestDatabase;
let database: Database;
let older: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase({ migrated: false });
  older = await mkdtemp(join(tmpdir(), 'risk-sql-'));
  const names = (await readdir(SQL)).sort();
  const before = names.slice(
    0,
    names.findIndex((name) => name.endsWith(MIGRATION)),
  );
  for (const name of before) await cp(join(SQL, name), join(older, name));
  const options = { url: testDatabase.url, market: testDatabase.market, corridors: [] };
  await migrate(options, older);
  database = testDatabase.open();
  await makeMonthsAsBefore(testDatabase, database, [AT_MS, AT_MS + DAY_MS]);
  await database.session(async (client) => {
    const [make = '', ...store] = AS_BEFORE;
    await client.query(make, [AT_MS, ROWS]);
    for (const text of store) await client.query(text);
  });
  await migrate(options);
});
afterAll(async () => {
  await rm(older, { recursive: true, force: true });
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

test('the migration counts what is stored already', async () => {
  expect((await readTotals(database)).totals).toEqual(
    expect.arrayContaining(
      [
        { corridor: 'US-EG', outcome: 'accepted', count: ROWS },
        { corridor: 'US-EG', outcome: 'approve', count: 40 },
        { corridor: 'GB-NG', outcome: 'dead_lettered', count: 5 },
        { corridor: 'GB-NG', outcome: 'dead_letter', count: 4 },
      ].map((total) => expect.objectContaining(total)),
    ),
  );
  const rows = 60 + 40 + 5 + 4 + 20 + 10;
  expect(await verifyDays(database, signal)).toMatchObject({ different: 0, rows });
  const summed = await testDatabase.sql(
    `select outcome, sum(count)::int as count from daily_increments where outcome in ('fraud', 'legitimate', 'MODEL')
      group by 1 order by 2`,
  );
  expect(summed.map(Object.values)).toEqual([
    ['legitimate', 4],
    ['fraud', 6],
    ['MODEL', 20],
  ]);
  // A step that was interrupted after its commit runs again.
  const migration = await readFile(join(SQL, '0033_tally_labels_and_rules.sql'), 'utf8');
  for (const step of migration.split(/^-- step.*$/m).slice(1)) await testDatabase.sql(step);
  while (await mergeIncrements(database, 3));
  expect(await verifyDays(database, signal)).toMatchObject({ different: 0 });
});

test('an answer reads so many increments and says until when it is complete', async () => {
  await mergeIncrements(database);
  const add = `insert into daily_increments values ('2026-05-31', 'US-EG', 'USD', 'accepted', null, null, 1, 1, 0)`;
  for (let n = 0; n < 5; n++) await testDatabase.sql(add);
  const [{ emptied_at } = { emptied_at: null }] = await testDatabase.sql<{ emptied_at: Date }>(
    'select emptied_at from tally_merge',
  );
  const dayMs = AT_MS - (AT_MS % DAY_MS);
  expect((await readTotals(database, 5)).countedTo).toBeNull();
  expect((await readTotals(database, 4)).countedTo).toEqual(emptied_at);
  const question: SumQuestion = {
    ...{ firstMs: dayMs, lastMs: dayMs, outcomes: ['accepted'], own: ['accepted'] },
    by: { corridor: false, outcome: false, ruleSet: false, model: false },
    only: { corridor: undefined, currency: undefined, ruleSet: undefined, model: undefined },
  };
  expect((await sumDays(database, question, 10, 5)).countedTo).toBeNull();
  expect((await sumDays(database, question, 10, 4)).countedTo).toEqual(emptied_at);
  expect((await sumDays(database, question, 1)).sums).toHaveLength(2);
  await testDatabase.sql('delete from daily_increments');
});
