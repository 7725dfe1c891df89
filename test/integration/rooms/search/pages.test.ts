/**
 * Goal: pages of a search join without a gap and without an overlap, wherever they end: among rows of one moment or score, and while
 * rows arrive between two pages.
 * Method: tied rows on real Postgres and pages that look at a few of them, compared with the same search in plain code.
 */
import { expect, test } from 'vitest';
import type { Database } from '../../../../src/kit/database/pool.ts';
import { transactionSearchParameters } from '../../../../src/rooms/search/queries/parameters.ts';
import { searchTransactions } from '../../../../src/rooms/search/queries/search.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { allPages, alone } from '../../../support/reads.ts';
import {
  expectedIds,
  type Seed,
  SPACE,
  storeSearched,
  tiedSeedOf,
} from '../../../support/searched-rows.ts';
import { idAt } from '../../../support/stored-rows.ts';

const ROWS = 240;
/** Below the number of rows of one moment, so that pages end among them. */
const LOOKED_AT = 5;
const LIMIT = '4';

const SEEDS = Array.from({ length: ROWS }, (_, n) => tiedSeedOf(n, ROWS));

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());
await storeSearched(testDatabase, database, SEEDS);

type Asked = Record<string, string>;

const readPage = (from: Database, asked: Asked) =>
  searchTransactions(
    alone(from),
    transactionSearchParameters.parse({ limit: LIMIT, ...asked }),
    LOOKED_AT,
  );

const ORDERS: Asked[] = [
  {},
  { client: 'bank' },
  { account_id: 'acc_5' },
  { merchant_id: 'm_3', client: 'bank' },
  { verdict: 'review,decline' },
  { verdict: 'review,decline', client: 'bank' },
  { label: 'legitimate' },
  { label: 'none', client: 'bank' },
  { status: 'accepted' },
  { sort: 'score' },
  { sort: 'score', client: 'bank' },
].flatMap((asked) => [asked, { ...asked, order: 'asc' }]);

test.each(ORDERS)('%j', async (asked) => {
  const ids = await allPages((page) => readPage(database, page), asked);
  expect(ids).toEqual(expectedIds(asked, SEEDS));
});

/** The n-th row that comes late, at the moment of a row that is there. */
function lateSeedOf(n: number): Seed {
  const beside = SEEDS[(n * 7) % ROWS] as Seed;
  const { createdAtMs } = beside;
  return {
    ...tiedSeedOf(beside.n, ROWS),
    createdAtMs,
    n: ROWS + n,
    transaction_id: idAt(createdAtMs, beside.n * SPACE + n + 1),
  };
}
const LATE_ROWS = 120;
const LATE_A_PAGE = 20;

const ARRIVING: Asked[] = [
  { client: 'bank' },
  { client: 'bank', order: 'asc' },
  { sort: 'score', client: 'bank' },
];

test.each(ARRIVING)('%j lists each row once while rows arrive between its pages', async (asked) => {
  await using other = await createTestDatabase();
  await using its = other.open();
  await storeSearched(other, its, SEEDS);
  let added = 0;
  const ids = await allPages(async (page) => {
    if (page['cursor'] !== undefined && added < LATE_ROWS) {
      const late = Array.from({ length: LATE_A_PAGE }, (_, n) => lateSeedOf(added + n));
      added += late.length;
      await storeSearched(other, its, late);
    }
    return await readPage(its, page);
  }, asked);
  expect(added).toBe(LATE_ROWS);
  expect(ids.length).toBe(new Set(ids).size);
  const had = expectedIds(asked, SEEDS);
  expect(had.filter((id) => !ids.includes(id))).toEqual([]);
});
