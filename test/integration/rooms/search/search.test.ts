/**
 * Goal: a search lists what matches, each row once, in its order, however it is divided into pages, and says how far it looked.
 * Method: rows over four months on real Postgres, compared with the same search in plain code; the rows of plans are counted.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Query } from '../../../../src/kit/database/pool.ts';
import type { Databases } from '../../../../src/kit/database/replica/choose-database.ts';
import {
  decodeSearchCursor,
  encodeSearchCursor,
  transactionSearchParameters,
} from '../../../../src/rooms/search/queries/parameters.ts';
import { searchTransactions } from '../../../../src/rooms/search/queries/search.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { allPages, alone, DAY_MS, NOVEMBER, openOrdered } from '../../../support/reads.ts';
import { rowsRead } from '../../../support/rows-read.ts';
import { expectedIds, seedsOf, storeSearched } from '../../../support/searched-rows.ts';
import { runsOf } from '../../../support/thorough.ts';

const ROWS = 1200;
/** Rows that a page looks at, where a test bounds them: fewer than a month has. */
const LITTLE = 150;
const SEEDS = seedsOf(ROWS);

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());
const ordered = await openForFile(openOrdered(testDatabase));
const databases: Databases = { ...alone(database), ordered };
await storeSearched(testDatabase, database, SEEDS);
await testDatabase.sql('analyze transactions, scores, labels, daily_tallies');

type Asked = Record<string, string>;

const list = (query: Asked, lookedAtMax?: number, from = databases) =>
  searchTransactions(from, transactionSearchParameters.parse(query), lookedAtMax);

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
const SCORED: Asked = { status: 'scored' };
const STATUSES: Asked[] = [{}, SCORED, { status: 'accepted' }, { status: 'dead_lettered' }];
const SORTS: Asked[] = [
  { sort: 'created_at', order: 'asc' },
  { sort: 'score' },
  { sort: 'score', order: 'asc' },
  { sort: 'amount', currency: 'USD' },
  { sort: 'amount', currency: 'USD', order: 'asc' },
];

async function expectAll(query: Asked, lookedAtMax?: number): Promise<void> {
  const asked = { limit: '200', ...query };
  const found = await allPages((page) => list(page, lookedAtMax), asked);
  expect(found).toEqual(expectedIds(asked, SEEDS));
}

describe.each([{}, SCORED])('%j', (status) => {
  test.each(FILTERS)('%j', async (filter) => {
    const query = { ...filter, ...status };
    await expectAll(query);
    const counted = await list({ ...query, total: 'true', limit: '1' });
    expect(counted.total).toEqual({ count: expectedIds(query, SEEDS).length, more: false });
  });
  test.each(SORTS)('%j', async (sort) => {
    const query = { ...sort, ...status };
    await expectAll(query);
    await expectAll({ ...query, account_id: 'acc_5', limit: '7' });
    await expectAll({ ...query, verdict: 'review,decline', limit: '33' });
  });
});
test.each(STATUSES)('%j', (query) => expectAll(query));

test('random searches find what plain code finds, however little a page looks at', async () => {
  const filter = fc.constantFrom(...FILTERS);
  const sort = fc.constantFrom<Asked>({}, ...SORTS);
  const statuses = fc.constantFrom(...STATUSES);
  const limit = fc.constantFrom('40', '200');
  const isBounded = fc.boolean();
  await fc.assert(
    fc.asyncProperty(
      filter,
      filter,
      sort,
      statuses,
      limit,
      isBounded,
      async (first, second, order, status, rows, bounded) => {
        const asked: Asked = { ...first, ...second, ...order, ...status, limit: rows };
        fc.pre(Number(asked['min_score'] ?? 0) <= Number(asked['max_score'] ?? 1000));
        const isRanked = asked['sort'] === 'amount' || asked['sort'] === 'score';
        await expectAll(asked, bounded && !isRanked ? LITTLE : undefined);
      },
    ),
    { numRuns: runsOf(120) },
  );
});

test('a page that has looked at its rows before it is full says so, and the next one goes on behind them', async () => {
  const asked = { client: 'bank', limit: '200' };
  const first = await list(asked, LITTLE);
  const newest = expectedIds({}, SEEDS).slice(0, LITTLE);
  const matches = expectedIds({ client: 'bank' }, SEEDS);
  const idsOf = (page: typeof first) => page.items.map((item) => item.transaction_id);
  expect(idsOf(first)).toEqual(newest.filter((id) => matches.includes(id)));
  const last = SEEDS.find((seed) => seed.transaction_id === newest.at(-1));
  expect(first).toMatchObject({
    complete: false,
    searched_to: new Date(last?.createdAtMs ?? 0).toISOString(),
    next_cursor: expect.any(String),
  });
  const second = await list({ ...asked, cursor: first.next_cursor ?? '' }, LITTLE);
  const found = [...idsOf(first), ...idsOf(second)];
  expect(found).toEqual(matches.slice(0, found.length));
  expect(idsOf(second).length).toBeGreaterThan(0);
});

test.each<Asked>([
  { sort: 'amount', currency: 'USD' },
  { sort: 'amount', currency: 'USD', order: 'asc' },
  { sort: 'amount', currency: 'USD', merchant_id: 'm_3' },
  { sort: 'score', merchant_id: 'm_3' },
])(
  '%j ranks the newest rows that a page looks at, and says how far back they go',
  async (query) => {
    const { sort: _, order: __, currency: ___, ...party } = query;
    const looked = 40;
    const newest = expectedIds(party, SEEDS).slice(0, looked);
    const page = await list({ ...query, limit: '10' }, looked);
    const among = SEEDS.filter((seed) => newest.includes(seed.transaction_id));
    const ids = page.items.map((item) => item.transaction_id);
    expect(ids).toEqual(expectedIds({ ...query, limit: '10' }, among));
    const searched_to = new Date(Math.min(...among.map((seed) => seed.createdAtMs))).toISOString();
    expect(page).toMatchObject({ complete: false, searched_to, next_cursor: null });
    const whole = await list({ ...query, limit: '10' });
    expect(whole).toMatchObject({ complete: true, searched_to: null, next_cursor: null });
  },
);

test('a total that takes more rows than a request looks at says that there are more', async () => {
  const { total } = await list({ client: 'bank', total: 'true' }, LITTLE);
  expect(total?.more).toBe(true);
  expect(total?.count).toBeGreaterThan(0);
});

/** The rows of a table that the first page may read at most, where a page looks at LITTLE. */
test.each<[Asked, number]>([
  [SCORED, 110],
  [{}, 110],
  [{ ...SCORED, device_id: 'd_7' }, 110],
  [{ ...SCORED, ip: '192.0.2.9' }, 110],
  [{ merchant_id: 'm_3' }, 110],
  [{ sort: 'score' }, 110],
  [{ sort: 'score', corridor: 'US-MX' }, 220],
  [{ verdict: 'decline' }, 220],
  [{ reason: 'DORMANT_ACCOUNT' }, LITTLE + 2],
  [{ degradation: '2' }, 110],
  [{ status: 'dead_lettered' }, LITTLE + 50],
  [{ sort: 'amount', currency: 'USD' }, LITTLE + 110],
  [{ client: 'shop', idempotency_key: 'key_4' }, 10],
])('a page of %j reads no more than %i rows of a table', async (query, rowsMax) => {
  // With sequential scans Postgres would read all of such a small table for each row.
  await testDatabase.sql(`alter database ${testDatabase.name} set enable_seqscan = off`);
  await using indexed = testDatabase.open();
  const read = await rowsRead(indexed, async (spy: Query) => {
    return await list(query, LITTLE, alone({ ...indexed, query: spy }));
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
    const explain = { text: `explain verbose ${statement.text}` };
    plans.push(JSON.stringify(await ordered.query(explain, values)));
    return await ordered.query(statement, values);
  };
  const asked = { corridor: 'US-MX', verdict: 'decline' };
  await list(asked, undefined, alone({ ...ordered, query }));
  expect(plans.find((plan) => plan.includes('corridor'))).toMatch(/^(?!.*Sort).*Index Only Scan/);
});

test('a cursor goes with its question alone', async () => {
  const { next_cursor } = await list({ limit: '5' });
  const cursor = next_cursor ?? '';
  expect((await list({ limit: '7', cursor })).items).toHaveLength(7);
  for (const query of [{ order: 'asc' }, { sort: 'score' }, { corridor: 'US-EG' }]) {
    await expect(list({ ...query, cursor })).rejects.toThrow(
      '/cursor must be the next_cursor of this list with the same parameters.',
    );
  }
});

test('a cursor of another order is refused, whatever question it names', async () => {
  for (const [sort, value] of [
    ['score', null],
    ['created_at', '500'],
  ] as const) {
    const asked = { sort, limit: '5' };
    const own = decodeSearchCursor((await list(asked)).next_cursor ?? '');
    if (own === undefined) throw new Error('a cursor was expected');
    const cursor = encodeSearchCursor({ ...own, after: { ...own.after, value } });
    await expect(list({ ...asked, cursor })).rejects.toThrow(
      '/cursor must be the next_cursor of this list with the same parameters.',
    );
  }
});
