/**
 * Goal: the duty finds merchants with many rows by itself, and refuses tallies of another cluster; an answer reads a bounded number of
 * increments and says until when it is complete. Method: the duty as a worker runs it, on a real Postgres, and increments as
 * statements leave them.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LABEL_MATURITY_DAYS } from '../../src/core/domain/history.ts';
import { bindTallies } from '../../src/core/repair/tally-duty.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import {
  mergeIncrements,
  readTotals,
  type SumQuestion,
  sumDays,
} from '../../src/core/store/tallies/day-tallies.ts';
import { COUNTED_ROWS_MAX, loadTallies } from '../../src/core/store/tallies/merchant-tallies.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { DAY_MS, dayOf } from '../../src/kit/words/range.ts';
import { testConfig } from '../support/config.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { waitUntil } from '../support/wait-until.ts';

const ROWS = COUNTED_ROWS_MAX + 100;
const NOW_MS = Date.now();
const HORIZON = { createdAtMs: NOW_MS, transactionId: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };
const POINT = { merchantId: 'm_busy', sinceMs: dayOf(NOW_MS) - 90 * DAY_MS, horizon: HORIZON };
const config = testConfig();
const { signal } = new AbortController();

let testDatabase: TestDatabase;
let database: Database;
let runDuty: () => Promise<void>;

beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.open();
  const duty = bindTallies(config, database, createLeadership(database, 'test'));
  runDuty = () => duty.run(signal);
  const month = monthOf(NOW_MS);
  await ensurePartitions(database, [month - 2, month - 1, month]);
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

/** A row every quarter of an hour, the newest a moment ago. */
async function insertRows(merchant: string, rows: number): Promise<void> {
  await testDatabase.sql(
    `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency)
     select 'default', gen_random_uuid(), to_timestamp($1::float8 / 1000) - i * interval '15 minutes', now(), 'acc_1', $2, 'US-EG', 1.25, 'USD'
       from generate_series(1, $3::int) i`,
    [NOW_MS, merchant, rows],
  );
  await testDatabase.sql(
    `insert into daily_increments
     select ((to_timestamp($1::float8 / 1000) - i * interval '15 minutes') at time zone 'UTC')::date, 'US-EG', 'USD',
            'accepted', null, null, 1, 1.25, 0
       from generate_series(1, $2::int) i`,
    [NOW_MS, rows],
  );
}

async function countTallied(): Promise<number> {
  const [row] = await testDatabase.sql<{ count: number }>(
    `select coalesce(sum(count), 0)::int as count from merchant_hours where merchant_id = 'm_busy'`,
  );
  return row?.count ?? 0;
}

/** Database transactions of other tests hold the checkpoint up while they are open. */
async function keepUntilTallied(rows: number): Promise<void> {
  const isTallied = async () => {
    await runDuty();
    return (await countTallied()) === rows;
  };
  await waitUntil(isTallied, 30_000, 'all rows to be tallied');
}

async function countPast(): Promise<number> {
  const [tallies = []] = await loadTallies(database.query, [POINT], LABEL_MATURITY_DAYS);
  return tallies.reduce((sum, { count }) => sum + count, 0);
}

test('a merchant with many rows is found among what is stored, and only that one', async () => {
  const storeAndRun = async () => {
    await insertRows('m_quiet', 1);
    await insertRows('m_busy', 1);
    await runDuty();
    return (await countTallied()) > ROWS;
  };
  await insertRows('m_busy', ROWS);
  await waitUntil(storeAndRun, 30_000, 'the merchant to be tallied');
  expect(await testDatabase.sql('select merchant_id from tallied_merchants')).toEqual([
    { merchant_id: 'm_busy' },
  ]);
});

test('tallies of another cluster are neither read nor kept', async () => {
  await insertRows('m_busy', ROWS);
  expect(await countPast()).toBe(ROWS);
  await keepUntilTallied(ROWS);
  await testDatabase.sql(`update tally_checkpoint set folded_to = '9000000000000000000'`);
  await testDatabase.sql('update merchant_hours set count = count + 1');
  await expect(runDuty()).rejects.toMatchObject({ code: 'TALLIES_FOREIGN' });
  expect(await countPast()).toBe(ROWS);
});

const TALLIED_MS = Date.UTC(2026, 4, 31);

test('an answer reads so many increments and says until when it is complete', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const { sql } = testDatabase;
  const add = `insert into daily_increments
               select '2026-05-31', 'US-EG', case n % 2 when 0 then 'EUR' else 'USD' end, 'accepted', null, null, 1, 1, 0
                 from generate_series(1, $1::int) n`;
  await sql(add, [20]);
  await mergeIncrements(database);
  await sql(add, [9]);
  const [{ emptied_at } = { emptied_at: null }] = await sql<{ emptied_at: Date }>(
    'select emptied_at from tally_merge',
  );
  const total = (count: number) => ({ corridor: 'US-EG', outcome: 'accepted', count });
  expect(await readTotals(database, 9)).toMatchObject({ countedTo: null, totals: [total(29)] });
  // An increment more than the bound is read, which tells that there are more.
  expect(await readTotals(database, 4)).toMatchObject({
    countedTo: emptied_at,
    totals: [total(25)],
  });
  const question: SumQuestion = {
    ...{ firstMs: TALLIED_MS, lastMs: TALLIED_MS, outcomes: ['accepted'], own: ['accepted'] },
    by: { corridor: false, outcome: false, ruleSet: false, model: false },
    only: { corridor: undefined, currency: undefined, ruleSet: undefined, model: undefined },
  };
  expect((await sumDays(database, question, 10, 9)).countedTo).toBeNull();
  expect((await sumDays(database, question, 10, 8)).countedTo).toEqual(emptied_at);
  expect((await sumDays(database, question, 1)).sums).toHaveLength(2);
});
