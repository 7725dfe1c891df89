/**
 * Goal: a search is right at its edges: a total at its bound, more months than a page looks at, and a transaction created ahead of its
 * receipt. Method: such rows on real Postgres.
 */
import { expect, test } from 'vitest';
import { ensurePartitions } from '../../../../src/core/store/partitions/partitions.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import { MONTHS_MAX } from '../../../../src/rooms/search/queries/search.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { alone, DAY_MS, NOVEMBER, transactions } from '../../../support/reads.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';

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
  await expectTotals(10_000, false);
  await add(NOVEMBER, 7_001, 7_001);
  await expectTotals(10_000, true);
});

test('a page looks at 25 months, and the next one at the months before', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const months = Array.from({ length: MONTHS_MAX + 1 }, (_, nth) => 2026 * 12 + 10 - nth);
  await ensurePartitions(database, months.slice(0, 12));
  await ensurePartitions(database, months.slice(12, 24));
  await ensurePartitions(database, months.slice(24));
  await storeTransactions(database, [{ createdAtMs: Date.UTC(2024, 9, 5), accountId: 'acc_old' }]);
  const asked = { account_id: 'acc_old', to: '2026-12-01' };
  for (const sort of [{}, { sort: 'amount', currency: 'USD' }]) {
    const first = await transactions(alone(database), { ...asked, ...sort });
    const searched_to = '2024-11-01T00:00:00.000Z';
    expect(first).toMatchObject({ items: [], complete: false, searched_to });
    const next = first.next_cursor === null ? { to: searched_to } : { cursor: first.next_cursor };
    const second = await transactions(alone(database), { ...asked, ...sort, ...next });
    expect(second).toMatchObject({ items: [{ account_id: 'acc_old' }], complete: true });
  }
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
