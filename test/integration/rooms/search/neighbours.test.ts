/**
 * Goal: the neighbours of a transaction are the nearest ones that share its account, merchant, device or address, and finding
 * them reads a bounded number of rows. Method: rows of two months on real Postgres, compared with the same rule in plain code;
 * the rows of each plan are counted.
 */
import { expect, test } from 'vitest';
import { detachMonth } from '../../../../src/core/store/partitions/detach-months.ts';
import type { Query } from '../../../../src/kit/database/pool.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import {
  NEAR_ROWS_EXAMINED_MAX,
  REACH_DAYS,
  ROWS_EACH_WAY_MAX,
  readNeighbours,
} from '../../../../src/rooms/search/queries/neighbours.ts';
import { readTransaction } from '../../../../src/rooms/search/queries/read-transaction.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { alone, DAY_MS, NOVEMBER } from '../../../support/reads.ts';
import { rowsRead } from '../../../support/rows-read.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';

const MINUTE_MS = 60_000;
/** More than one question looks at, before and after the middle. */
const ROWS = 4 * NEAR_ROWS_EXAMINED_MAX;
const MIDDLE = ROWS / 2;

/** Two of each minute, the newest first, from the middle of November back into October. */
const ROW = (n: number) => {
  const atMs = NOVEMBER - Math.floor(n / 2) * MINUTE_MS;
  return {
    ...{ n, atMs, id: idAt(atMs, n), account: `acc_${n % 500}`, merchant: `m_${n % 3}` },
    device: n % 700 === 0 || n === MIDDLE ? 'shared' : `device_${n}`,
    ip: n % 5 === 0 ? '10.0.0.5' : null,
    client: n % 2 === 0 ? 'shop' : 'bank',
  };
};
type Row = ReturnType<typeof ROW>;
const SEEDS = Array.from({ length: ROWS }, (_, n) => ROW(n));
const SELF = ROW(MIDDLE);

const insertRows = `
  insert into transactions (transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency, client, device_id, ip)
  select id, at::timestamptz, now(), account, merchant, 'US-EG', 1, 'USD', client, device, ip
    from json_to_recordset($1) as r(id uuid, at text, account text, merchant text, client text, device text, ip text)`;
const insertScores = `
  insert into scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons, rule_set, attempts,
                      degradation, features, feature_schema)
  select 0, transaction_id, created_at, now(), account_id, corridor, 700, 0.7, 'review', '[]', 'r', 1, 0, '', 1
    from transactions`;

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());
const months = [NOVEMBER, NOVEMBER - 30 * DAY_MS, NOVEMBER - 60 * DAY_MS];
await storeTransactions(
  database,
  months.map((createdAtMs) => ({ createdAtMs })),
);
await testDatabase.sql('delete from transactions');
const rows = SEEDS.map(({ atMs, ...row }) => ({ ...row, at: new Date(atMs).toISOString() }));
await testDatabase.sql(insertRows, [JSON.stringify(rows)]);
await testDatabase.sql(insertScores);
await testDatabase.sql('analyze transactions, scores');

const near = async (id: string, client: string | null = null, query: Query = database.query) => {
  const databases = alone({ ...database, query });
  const transaction = await readTransaction(databases, id, client);
  if (transaction === undefined) throw new Error(`${id} is unknown`);
  return await readNeighbours(databases, transaction, client);
};

/** The nearest before and after, newest first. */
function expected(
  shares: (row: Row) => boolean,
  seen: (row: Row) => boolean = () => true,
): string[] {
  const others = SEEDS.filter((row) => row.n !== SELF.n && shares(row) && seen(row));
  const newest = others.toSorted((a, b) => b.atMs - a.atMs || (a.id < b.id ? 1 : -1));
  const after = newest.filter(({ atMs }) => atMs > SELF.atMs);
  const before = newest.filter(({ atMs }) => atMs <= SELF.atMs);
  return [...after.slice(-ROWS_EACH_WAY_MAX), ...before.slice(0, ROWS_EACH_WAY_MAX)].map(
    ({ id }) => id,
  );
}
const idsOf = (related: { items: { transaction_id: string }[] } | null) =>
  related?.items.map((item) => item.transaction_id);

test('the nearest before and after it that share its account, merchant or address, with all they have in common', async () => {
  const found = await near(SELF.id);
  expect(found.from).toBe(new Date(SELF.atMs - REACH_DAYS * DAY_MS).toISOString());
  expect(idsOf(found.account)).toEqual(expected((row) => row.account === SELF.account));
  expect(found.account.complete).toBe(true);
  expect(idsOf(found.merchant)).toEqual(expected((row) => row.merchant === SELF.merchant));
  expect(found.merchant.complete).toBe(false);
  expect(idsOf(found.ip)).toEqual(expected((row) => row.ip === SELF.ip));
  expect(found.ip?.complete).toBe(false);
  for (const { transaction_id: id, relations } of found.ip?.items ?? []) {
    const row = SEEDS.find((seed) => seed.id === id);
    expect(relations.includes('merchant')).toBe(row?.merchant === SELF.merchant);
    expect(relations).toContain('ip');
  }
});

test('no question reads more rows than its bound, of a merchant with thousands too', async () => {
  const sum = (read: ReadonlyMap<string, number>, table: string) =>
    [...read].reduce((rows, [name, count]) => rows + (name.startsWith(table) ? count : 0), 0);
  const read = await rowsRead(database, (query) => near(SELF.id, null, query));
  const [directions, months] = [2, 3];
  // Each row is found along an index, and then read; an address is looked for among the rows of its network.
  const indexed = 3 * directions * (2 * ROWS_EACH_WAY_MAX + 2 + months);
  const relations = indexed + directions * (NEAR_ROWS_EXAMINED_MAX + ROWS_EACH_WAY_MAX);
  expect(sum(read, 'transactions_')).toBeLessThanOrEqual(relations + 10);
  expect(sum(read, 'scores_')).toBeLessThanOrEqual(4 * directions * (ROWS_EACH_WAY_MAX + 1) + 2);
});

test('nothing shared is an empty and complete answer; a detached month within reach is named', async () => {
  const [id = ''] = await storeTransactions(database, [
    { createdAtMs: NOVEMBER - 40 * DAY_MS, accountId: 'lonely', merchantId: 'lonely' },
  ]);
  const empty = { complete: true, items: [] };
  expect(await near(id)).toMatchObject({ account: empty, merchant: empty, device: null, ip: null });
  await detachMonth(database, monthOf(NOVEMBER - 60 * DAY_MS));
  expect(await near(id)).toMatchObject({
    account: { complete: false, items: [] },
    detached_months: ['2026-09'],
  });
});
