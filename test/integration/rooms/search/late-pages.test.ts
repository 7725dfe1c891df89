/**
 * Goal: a search that Postgres answers too slowly is unavailable, and so is a party; a page reads few rows also where Postgres has no
 * statistics. Method: locks make statements late on real Postgres, and the rows of plans are counted.
 */
import { expect, test } from 'vitest';
import { transactionSearchParameters } from '../../../../src/rooms/search/queries/parameters.ts';
import { readPartyProfile } from '../../../../src/rooms/search/queries/party-profile.ts';
import { searchTransactions } from '../../../../src/rooms/search/queries/search.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { alone, DAY_MS, NOVEMBER, openOrdered, transactions } from '../../../support/reads.ts';
import { rowsRead } from '../../../support/rows-read.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';

/** A statement takes so long at most. */
const LATE_MS = 300;

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());
const ordered = await openForFile(
  openOrdered(testDatabase, { RISK_STATEMENT_TIMEOUT_MS: `${LATE_MS}` }),
);
await storeTransactions(database, [
  { createdAtMs: NOVEMBER, accountId: 'acc_now' },
  { createdAtMs: NOVEMBER - 1, accountId: 'acc_now' },
  { createdAtMs: NOVEMBER - 70 * DAY_MS, accountId: 'acc_before' },
]);

test('a page or a party whose month is late is unavailable, and neither empty nor unknown', async () => {
  const databases = { ...alone(database), ordered };
  await database.transaction(async (query) => {
    const text = 'lock table market.transactions_y2026m09 in access exclusive mode';
    await query({ text });
    const unavailable = { kind: 'unavailable' };
    const ofAccount = transactions(databases, { account_id: 'acc_before' });
    await expect(ofAccount).rejects.toMatchObject(unavailable);
    const profile = readPartyProfile(databases, 'account', 'acc_before', NOVEMBER);
    await expect(profile).rejects.toMatchObject(unavailable);
    const { items } = await transactions(databases, { limit: '1' });
    expect(items).toHaveLength(1);
  });
  expect((await transactions(databases, { account_id: 'acc_before' })).items).toHaveLength(1);
});

test('connections for searches have the usual time, prefer the order of an index, and compile nothing', async () => {
  const text = `select current_setting('statement_timeout') as timeout, current_setting('enable_sort') as sort,
                       current_setting('jit') as jit`;
  expect(await ordered.query({ text })).toEqual([
    { timeout: `${LATE_MS}ms`, sort: 'off', jit: 'off' },
  ]);
});

/** Rows that a page looks at, each in each table; and the rows of the page. */
const LOOKED_AT = 500;
const READ_MAX = LOOKED_AT + 20;

test('a page of a month that nobody has analysed reads no more than it looks at', async () => {
  await using other = await createTestDatabase();
  await using its = other.open();
  await using inOrder = openOrdered(other);
  const rows = Array.from({ length: 10_000 }, (_, nth) => ({
    ...{ createdAtMs: NOVEMBER - 3 * DAY_MS + nth, score: 400 + (nth % 300) },
    ...{ accountId: 'acc_many', merchantId: 'm_many' },
  }));
  await storeTransactions(its, rows);
  for (const asked of [
    { account_id: 'acc_many', label: 'none' },
    { merchant_id: 'm_many', sort: 'amount', currency: 'USD' },
    { sort: 'score', client: 'nobody' },
  ]) {
    const parameters = transactionSearchParameters.parse({ limit: '10', ...asked });
    const read = await rowsRead(inOrder, async (query) => {
      const databases = { ...alone(its), ordered: { ...inOrder, query } };
      return await searchTransactions(databases, parameters, LOOKED_AT);
    });
    const counts = [...read].flatMap(([table, n]) =>
      /^(transactions|scores)_/.test(table) ? n : [],
    );
    expect(counts).not.toEqual([]);
    expect(Math.max(...counts), JSON.stringify(asked)).toBeLessThanOrEqual(READ_MAX);
  }
});
