/**
 * Goal: a search lists what matches, each row once, in its order, however it is divided into pages, and says how far it looked.
 * Method: rows over four months on real Postgres, compared with the same search in plain code; the rows of plans are counted.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBudget } from '../../../../src/core/store/search/walk.ts';
import type { Query } from '../../../../src/kit/database/pool.ts';
import type { Databases } from '../../../../src/kit/database/replica/choose-database.ts';
import { InvalidFields } from '../../../../src/kit/words/field-errors.ts';
import {
  scoreSearchParameters,
  transactionSearchParameters,
} from '../../../../src/rooms/search/queries/parameters.ts';
import { searchScores, searchTransactions } from '../../../../src/rooms/search/queries/search.ts';
import {
  decodeSearchCursor,
  encodeSearchCursor,
} from '../../../../src/rooms/search/queries/search-cursor.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { allPages, alone, DAY_MS, NOVEMBER, openTimed } from '../../../support/reads.ts';
import { rowsRead } from '../../../support/rows-read.ts';
import { expectedIds, seedsOf, storeSearched } from '../../../support/searched-rows.ts';

const ROWS = 1200;
const SEEDS = seedsOf(ROWS);

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());
const timed = await openForFile(openTimed(testDatabase));
const databases: Databases = { ...alone(database), timed };
await storeSearched(testDatabase, database, SEEDS);
await testDatabase.sql('analyze transactions, scores, labels, daily_tallies');

type List = 'transactions' | 'scores';
type Asked = Record<string, string>;

/** @param slicesMax of a request; the time of one is unbounded, as the machine may be busy */
function list(kind: List, query: Asked, slicesMax = 1000, from = databases) {
  const budget = () => createBudget(() => 0, slicesMax);
  return kind === 'scores'
    ? searchScores(from, scoreSearchParameters.parse(query), budget)
    : searchTransactions(from, transactionSearchParameters.parse(query), budget);
}

const at = (days: number) => new Date(NOVEMBER - days * DAY_MS).toISOString();

const FILTERS: Asked[] = [
  {},
  { account_id: 'acc_5' },
  { merchant_id: 'm_3' },
  { device_id: 'd_7' },
  { ip: '192.0.2.9' },
  { corridor: 'US-MX' },
  { client: 'bank' },
  { verdict: 'decline' },
  { verdict: 'review,approve' },
  { min_score: '300' },
  { min_score: '120', max_score: '330' },
  { max_score: '40' },
  { currency: 'EUR' },
  { currency: 'USD', min_amount: '100.5', max_amount: '300' },
  { reason: 'STRUCTURING' },
  { reason: 'STRUCTURING', currency: 'USD' },
  { reason: 'STRUCTURING,NEW_MERCHANT' },
  { reason: 'VELOCITY_COUNT_1H,STRUCTURING', reason_match: 'all' },
  { reason: 'DORMANT_ACCOUNT' },
  { rule_set: 'careful@1' },
  { model: 'none' },
  { label: 'fraud' },
  { label: 'legitimate' },
  { label: 'none' },
  { degradation: '2' },
  { from: at(60), to: at(20) },
  { received_from: at(60), received_to: at(50) },
  { scored_from: at(60), scored_to: at(50) },
  { client: 'shop', idempotency_key: 'key_4' },
  { client: 'bank', idempotency_key: 'key_4' },
  { client: 'shop', idempotency_key: 'nobody' },
];
const STATUSES: Asked[] = [
  { status: 'accepted' },
  { status: 'scored' },
  { status: 'dead_lettered' },
];
const SORTS: Asked[] = [
  { sort: 'created_at', order: 'asc' },
  { sort: 'score' },
  { sort: 'score', order: 'asc' },
  { sort: 'amount', currency: 'USD' },
  { sort: 'amount', currency: 'USD', order: 'asc' },
];

async function expectAll(kind: List, query: Asked, slicesMax?: number): Promise<void> {
  const found = await allPages((page) => list(kind, page, slicesMax), { limit: '200', ...query });
  expect(found).toEqual(expectedIds(kind, query, SEEDS));
}

describe.each<List>(['transactions', 'scores'])('%s', (kind) => {
  test.each(FILTERS)('%j', async (query) => {
    await expectAll(kind, query);
    const counted = await list(kind, { ...query, total: 'true', limit: '1' });
    expect(counted.total).toEqual({ count: expectedIds(kind, query, SEEDS).length, more: false });
  });
  test.each(SORTS)('%j', async (query) => {
    await expectAll(kind, query);
    await expectAll(kind, { ...query, account_id: 'acc_5', limit: '7' });
    await expectAll(kind, { ...query, verdict: 'review,decline', limit: '33' });
  });
});
test.each(STATUSES)('%j', (query) => expectAll('transactions', query));

test('pairs of filters in any order, where their bounds are a range', async () => {
  const filter = fc.constantFrom(...FILTERS);
  const sort = fc.constantFrom<Asked>({}, ...SORTS);
  const kinds = fc.constantFrom<List>('transactions', 'scores');
  await fc.assert(
    fc.asyncProperty(filter, filter, sort, kinds, async (one, other, order, kind) => {
      const asked = { ...one, ...other, ...order };
      fc.pre(Number(asked['min_score'] ?? 0) <= Number(asked['max_score'] ?? 1000));
      await expectAll(kind, asked);
    }),
    { numRuns: 25 },
  );
});

test('a stretch that a first page has read whole is read whole again, whatever the next request may look at', async () => {
  const asked = { sort: 'amount', currency: 'USD', limit: '100' };
  const first = await list('transactions', asked);
  expect(first.complete).toBe(true);
  const cursor = first.next_cursor ?? '';
  const rest = await allPages((page) => list('transactions', page, 3), { ...asked, cursor });
  const listed = first.items.map((item) => item.transaction_id);
  expect([...listed, ...rest]).toEqual(expectedIds('transactions', asked, SEEDS));
});

test('a cursor cannot have more read than twice what a request may look at', async () => {
  const asked = { sort: 'amount', currency: 'USD', limit: '5' };
  const cursor = (await list('transactions', asked)).next_cursor ?? '';
  await expect(list('transactions', { ...asked, cursor }, 1)).rejects.toThrow(
    '/cursor is too old: more rows have arrived since than a page reads again; begin anew.',
  );
});

test('a total that cannot be counted within a request says that there are more', async () => {
  const { total } = await list('transactions', { client: 'bank', total: 'true' }, 1);
  expect(total?.more).toBe(true);
  expect(total?.count).toBeGreaterThan(0);
});

test('days without a match are not read', async () => {
  for (const query of [
    { reason: 'DORMANT_ACCOUNT' },
    { corridor: 'AA-BB' },
    { status: 'accepted', corridor: 'AA-BB' },
  ]) {
    const page = await list('transactions', query, 2);
    expect(page).toMatchObject({ items: [], complete: true, next_cursor: null });
  }
});

/** The rows of a table that the first page may read at most. */
test.each<[Asked, number, List?]>([
  [{}, 400],
  [{ device_id: 'd_7' }, 400],
  [{ ip: '192.0.2.9' }, 400],
  [{ sort: 'score' }, 400],
  [{ sort: 'score', verdict: 'decline' }, 400],
  [{ reason: 'DORMANT_ACCOUNT' }, 2500],
  [{ degradation: '2' }, 400],
  [{ status: 'dead_lettered' }, 400, 'transactions'],
  [{ client: 'shop', idempotency_key: 'key_4' }, 10],
])('%j reads a bounded number of rows', async (query, rowsMax, kind = 'scores') => {
  // Without it Postgres reads all of a table this small, for each row.
  await testDatabase.sql(`alter database ${testDatabase.name} set enable_seqscan = off`);
  await using indexed = testDatabase.open();
  const read = await rowsRead(indexed, async (spy: Query) => {
    return await list(kind, query, 1000, alone({ ...indexed, query: spy }));
  });
  const rows = [...read].filter(([table]) => /^(transactions|scores)_/.test(table));
  expect(rows.length).toBeGreaterThan(0);
  for (const table of ['transactions', 'scores']) {
    const ofTable = rows.filter(([name]) => name.startsWith(table));
    expect(ofTable.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(rowsMax);
  }
});

test('a verdict of a corridor is found by the index of risky scores alone', async () => {
  await testDatabase.sql('vacuum scores');
  const plans: string[] = [];
  const query: Query = async (statement, values) => {
    const explain = { text: `explain ${statement.text}` };
    plans.push(JSON.stringify(await database.query(explain, values)));
    return await database.query(statement, values);
  };
  await list('scores', { corridor: 'US-MX', verdict: 'decline' }, 1, alone({ ...database, query }));
  expect(plans.find((plan) => plan.includes('corridor'))).toMatch(/^(?!.*Sort).*Index Only Scan/);
});

test('a cursor goes with its question alone', async () => {
  const { next_cursor } = await list('scores', { limit: '5' });
  const cursor = next_cursor ?? '';
  expect((await list('scores', { limit: '7', cursor })).items).toHaveLength(7);
  for (const query of [{ order: 'asc' }, { sort: 'score' }, { corridor: 'US-EG' }]) {
    await expect(list('scores', { ...query, cursor })).rejects.toThrow(
      '/cursor must be the next_cursor of this list with the same parameters.',
    );
  }
  await expect(list('transactions', { cursor })).rejects.toThrow(InvalidFields);
});

test('a cursor whose position was changed to what no row has is refused', async () => {
  const asked = { sort: 'score', limit: '5' };
  const own = decodeSearchCursor((await list('scores', asked)).next_cursor ?? '');
  const listed = own?.position.window?.listed ?? own?.position.after;
  if (own === undefined || !listed) throw new Error('a cursor behind a row was expected');
  const after = { ...listed, value: '1001' };
  const window = own.position.window && { ...own.position.window, listed: after };
  const cursor = encodeSearchCursor({ ...own, position: { ...own.position, after, window } });
  await expect(list('scores', { ...asked, cursor })).rejects.toThrow(
    '/cursor must be the next_cursor of this list with the same parameters.',
  );
});
