/**
 * Goal: a search is right at its edges: a total at its bound, and a transaction created ahead of its receipt. Method: such rows on
 * real Postgres.
 */
import { expect, test } from 'vitest';
import { ensurePartitions } from '../../../../src/core/store/partitions/partitions.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { alone, DAY_MS, NOVEMBER, transactions } from '../../../support/reads.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';
import { waitUntil } from '../../../support/wait-until.ts';

test('a total is exact up to 10,000, over two months', async () => {
  await using other = await createTestDatabase();
  await using its = other.open();
  const months = [NOVEMBER, NOVEMBER - 30 * DAY_MS];
  await ensurePartitions(its, new Set(months.map(monthOf)));
  const add = (atMs: number, first: number, last: number) =>
    other.sql(
      `insert into transactions (transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency, client)
       select (lpad(to_hex($1::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, to_timestamp($1 / 1000.0),
              to_timestamp($1 / 1000.0), 'acc_1', 'm_1', 'US-EG', 1, 'USD', 'shop' from generate_series($2::int, $3::int) n`,
      [atMs, first, last],
    );
  const expectTotals = async (count: number, more: boolean) => {
    for (const query of [
      {},
      { account_id: 'acc_1' },
      { client: 'shop', min_amount: '1', currency: 'USD' },
    ]) {
      const asked = { ...query, total: 'true', limit: '1' };
      // A busy machine counts less of them in the time that a search has.
      const isCounted = async () => {
        const { total } = await transactions(alone(its), asked);
        return total?.count === count && total;
      };
      expect(await waitUntil(isCounted, 10_000, 'all to be counted')).toEqual({ count, more });
    }
  };
  await add(NOVEMBER, 1, 7_000);
  await add(NOVEMBER - 30 * DAY_MS, 1, 3_000);
  // Days are told apart by what is counted of them.
  await other.sql(
    `insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
     select distinct (created_at at time zone 'UTC')::date, 'US-EG', 'USD', 'accepted', 1, 1, 0 from transactions`,
  );
  await expectTotals(10_000, false);
  await add(NOVEMBER, 7_001, 7_001);
  await expectTotals(10_000, true);
});

test('a transaction is found by its receipt although it is created a day later', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const createdAtMs = Date.UTC(2026, 11, 1, 10);
  const receivedAtMs = createdAtMs - DAY_MS + 1;
  const id = idAt(createdAtMs, 1);
  await storeTransactions(database, [{ id, createdAtMs, receivedAtMs, score: 900 }]);
  const nowMs = receivedAtMs + 60_000;
  const after = new Date(nowMs).toISOString();
  for (const query of [{ received_to: after }, { scored_to: after, sort: 'score' }]) {
    const databases = { ...alone(database), now: () => nowMs };
    const { items } = await transactions(databases, query);
    expect(items).toMatchObject([{ transaction_id: id }]);
  }
});
