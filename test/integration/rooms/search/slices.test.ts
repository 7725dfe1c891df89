/**
 * Goal: slices of a search join without a gap and without an overlap, wherever they end: among rows of one moment, score or
 * amount, and while rows arrive between the two statements of a slice.
 * Method: each kind of pass on real Postgres with slices of a few rows, compared with the same search in plain code.
 */
import { expect, test } from 'vitest';
import { listWalkedMonths } from '../../../../src/core/store/partitions/month-slice.ts';
import { readSearchSlice } from '../../../../src/core/store/search/read-slice.ts';
import { rangesOf, toFilter } from '../../../../src/core/store/search/search-filter.ts';
import type { SearchSlice } from '../../../../src/core/store/search/search-slice.ts';
import { createBudget } from '../../../../src/core/store/search/walk.ts';
import type { Query } from '../../../../src/kit/database/pool.ts';
import { transactionSearchParameters } from '../../../../src/rooms/search/queries/parameters.ts';
import { passesOf, runPass } from '../../../../src/rooms/search/queries/passes.ts';
import {
  decodeSearchCursor,
  encodeSearchCursor,
  type SearchPosition,
} from '../../../../src/rooms/search/queries/search-cursor.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { NOVEMBER } from '../../../support/reads.ts';
import {
  expectedIds,
  type Seed,
  SPACE,
  storeSearched,
  tiedSeedOf,
} from '../../../support/searched-rows.ts';
import { idAt } from '../../../support/stored-rows.ts';

const ROWS = 240;
/** Below the number of rows of one moment, so that slices end among them. */
const EXAMINED = 5;
/** More than a page, so that a ranked slice leaves rows out. */
const RANKED = 40;
const LIMIT = 7;

const SEEDS = Array.from({ length: ROWS }, (_, n) => tiedSeedOf(n, ROWS));

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());
await storeSearched(testDatabase, database, SEEDS);

type Asked = Record<string, string>;

/** All ids, page by page; each position goes through a cursor. */
async function list(
  asked: Asked,
  read: (slice: SearchSlice) => ReturnType<typeof readSearchSlice>,
  limit = LIMIT,
) {
  const { sort, order, ...rest } = transactionSearchParameters.parse(asked);
  const filter = toFilter(rest, sort === 'score');
  const isDescending = order === 'desc';
  const { months } = await listWalkedMonths(database, 'transactions');
  const ranges = rangesOf(months, rest, filter, { isDescending, nowMs: NOVEMBER });
  const ids: string[] = [];
  for (const pass of passesOf(filter, sort, isDescending)) {
    let position: SearchPosition | undefined;
    for (let pages = 0; pages <= ROWS; pages++) {
      const { found, next } = await runPass({
        ...{ pass, isDescending, ranges, position, rows: limit },
        budget: createBudget(() => 0, 1000),
        narrow: async (left) => left,
        read: (slice) => read({ ...slice, examinedMax: slice.ranked ? RANKED : EXAMINED }),
      });
      const listed = found.slice(0, limit);
      ids.push(...listed.map(({ id }) => id));
      const after = next(listed);
      if (after === null) break;
      const cursor = encodeSearchCursor({ digest: '', position: { pass: 0, ...after } });
      position = decodeSearchCursor(cursor)?.position;
      expect(position).toEqual({ pass: 0, ...after });
    }
  }
  return ids;
}

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
  { sort: 'amount', currency: 'USD' },
  { sort: 'amount', currency: 'USD', verdict: 'approve' },
].flatMap((asked) => [asked, { ...asked, order: 'asc' }]);

test.each(ORDERS)('%j', async (asked) => {
  const ids = await list(asked, (slice) => readSearchSlice(database, slice));
  expect(ids).toEqual(expectedIds('transactions', asked, SEEDS));
});

/** The n-th row that comes late: beside one that is there, at its moment. */
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
const TIMES = 6;

const RACES: Asked[] = [
  { client: 'bank' },
  { client: 'bank', order: 'asc' },
  { sort: 'score', client: 'bank' },
  { sort: 'amount', currency: 'USD', client: 'bank' },
];

test.each(RACES)('%j lists each row once while rows arrive within its slices', async (asked) => {
  await using other = await createTestDatabase();
  await using its = other.open();
  await storeSearched(other, its, SEEDS);
  // A page of a ranked slice whole, whose last rows the next slice reads again.
  const limit = asked['sort'] === 'amount' ? 2 * RANKED : LIMIT;
  let added = 0;
  const ids = await list(
    asked,
    async (slice) => {
      let statements = 0;
      const query: Query = async (statement, values) => {
        statements += 1;
        // Between the rows of a slice and its end.
        if (statements === 2 && added < LATE_ROWS) {
          const late = Array.from({ length: LATE_ROWS / TIMES }, (_, n) => lateSeedOf(added + n));
          added += late.length;
          await storeSearched(other, its, late);
        }
        return await its.query(statement, values);
      };
      return await readSearchSlice({ query }, slice);
    },
    limit,
  );
  expect(added).toBe(LATE_ROWS);
  expect(ids.length).toBe(new Set(ids).size);
  const had = expectedIds('transactions', asked, SEEDS);
  expect(had.filter((id) => !ids.includes(id))).toEqual([]);
});
