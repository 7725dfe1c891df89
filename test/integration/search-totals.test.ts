/** Goal: the total of a search is exact up to its bound, and says where there are more. Method: as many rows in two months, on real Postgres. */
import { expect, test } from 'vitest';
import { monthOf } from '../../src/domain/month.ts';
import { ensurePartitions } from '../../src/store/partitions/partitions.ts';
import { createTestDatabase } from '../support/database.ts';
import { alone, DAY_MS, NOVEMBER, transactions } from '../support/reads.ts';

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
      const { total } = await transactions(alone(its), asked);
      expect(total).toEqual({ count, more });
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
