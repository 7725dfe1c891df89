/**
 * Goal: a search that Postgres answers slowly ends in time, says how far it looked, and goes on there; a party stays known.
 * Method: a lock makes slices late on real Postgres until one has failed.
 */
import { describe, expect, test } from 'vitest';
import { createBudget } from '../../../../src/core/store/search/walk.ts';
import type { Query } from '../../../../src/kit/database/pool.ts';
import type { Databases } from '../../../../src/kit/database/replica/choose-database.ts';
import {
  scoreSearchParameters,
  transactionSearchParameters,
} from '../../../../src/rooms/search/queries/parameters.ts';
import { makeProfile } from '../../../../src/rooms/search/queries/party-profile.ts';
import { searchScores, searchTransactions } from '../../../../src/rooms/search/queries/search.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { allPages, alone, DAY_MS, NOVEMBER, openTimed } from '../../../support/reads.ts';
import { rowsRead } from '../../../support/rows-read.ts';
import { expectedIds, seedsOf, storeSearched } from '../../../support/searched-rows.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';

const SEEDS = seedsOf(1200);
/** A statement takes so long at most. */
const LATE_MS = 300;

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());
const timed = await openForFile(
  openTimed(testDatabase, { RISK_STATEMENT_TIMEOUT_MS: `${LATE_MS}` }),
);
await storeSearched(testDatabase, database, SEEDS);

type Asked = Record<string, string>;

/** The time of a request is unbounded, as the machine may be busy. */
const list = (databases: Databases, asked: Asked) =>
  searchTransactions(databases, transactionSearchParameters.parse(asked), () =>
    createBudget(() => 0, 1000),
  );

/** Locks what searches read. Returns what frees it. */
async function lockRows(): Promise<() => Promise<void>> {
  const [held, freed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const locking = database.transaction(async (query) => {
    const text = 'lock table market.transactions, market.scores in access exclusive mode';
    await query({ text });
    held.resolve();
    await freed.promise;
  });
  await Promise.race([held.promise, locking]);
  return async () => {
    freed.resolve();
    await locking;
  };
}

/** Databases whose n-th timed statement finds the rows locked, until one has failed; and what is asked of the patient ones. */
function withLate(first: number) {
  const patient: string[] = [];
  let asked = 0;
  let lates = 0;
  let free: () => Promise<void> = async () => undefined;
  const hurry: Query = async (statement, values) => {
    asked += 1;
    if (asked === first) free = await lockRows();
    try {
      return await timed.query(statement, values);
    } catch (error) {
      lates += 1;
      await free();
      throw error;
    }
  };
  const query: Query = async (statement, values) => {
    patient.push(statement.text);
    return await database.query(statement, values);
  };
  const databases: Databases = {
    ...alone({ ...database, query }),
    timed: { ...timed, query: hurry },
  };
  return { databases, patient, lates: () => lates };
}

const ASKED: Asked[] = [
  { client: 'shop', currency: 'USD', min_amount: '450' },
  { client: 'shop', currency: 'USD', min_amount: '450', order: 'asc' },
  { account_id: 'acc_5' },
  { verdict: 'review,decline', client: 'bank' },
  { sort: 'score', client: 'shop' },
  { sort: 'score', client: 'shop', order: 'asc' },
  { sort: 'amount', currency: 'USD', client: 'bank' },
];

describe.each(ASKED)('%j', (query) => {
  const asked = { limit: '200', ...query };

  test('ends before a slice that is late, and goes on there', async () => {
    const { databases, lates } = withLate(3);
    const first = await list(databases, asked);
    expect(lates()).toBe(1);
    expect(first).toMatchObject({ complete: false, next_cursor: expect.any(String) });
    const cursor = first.next_cursor ?? '';
    const rest = await allPages((page) => list(alone(database), { cursor, ...page }), asked);
    const found = [...first.items.map((item) => item.transaction_id), ...rest];
    expect(found.toSorted()).toEqual(expectedIds('transactions', query, SEEDS).toSorted());
  });

  test('reads the first slice again where it is late, smaller and patiently', async () => {
    const { databases, patient, lates } = withLate(1);
    const pages: string[][] = [];
    const found = await allPages(async (page) => {
      const one = await list(databases, page);
      pages.push(one.items.map((item) => item.transaction_id));
      return one;
    }, asked);
    expect(lates()).toBe(1);
    expect(patient.filter((text) => /limit 125\b/.test(text))).toHaveLength(1);
    expect(pages.length).toBeGreaterThan(1);
    expect(found.toSorted()).toEqual(expectedIds('transactions', query, SEEDS).toSorted());
  });
});

test('no cursor leads to where the request began: what is late for any statement is unavailable', async () => {
  await using brief = testDatabase.open({ statementTimeoutMs: LATE_MS });
  const free = await lockRows();
  try {
    await expect(list({ ...alone(brief), timed }, {})).rejects.toMatchObject({
      kind: 'unavailable',
    });
  } finally {
    await free();
  }
});

test('connections for slices give a statement a second, and prefer the order of an index', async () => {
  await using usual = openTimed(testDatabase);
  const text = `select current_setting('statement_timeout') as timeout, current_setting('enable_sort') as sort`;
  expect(await usual.query({ text })).toEqual([{ timeout: '1s', sort: 'off' }]);
});

test('a party is unavailable, and not unknown, where a month since its last transaction is late', async () => {
  await storeTransactions(database, [
    { createdAtMs: NOVEMBER - 70 * DAY_MS, accountId: 'acc_before' },
  ]);
  const { databases, lates } = withLate(2);
  await expect(makeProfile(databases, 'account', 'acc_before', NOVEMBER)).rejects.toMatchObject({
    kind: 'unavailable',
  });
  expect(lates()).toBe(1);
});

/** Rows that a page of ten looks at, each in both of its statements, and in each table. */
const READ_MAX = 4 * 500;

test('a page of a month that nobody has analysed reads no more than its slices hold', async () => {
  await using other = await createTestDatabase();
  await using its = other.open();
  await using hurried = openTimed(other);
  const rows = Array.from({ length: 10_000 }, (_, nth) => ({
    createdAtMs: NOVEMBER - 3 * DAY_MS + nth,
    ...{ accountId: 'acc_many', merchantId: 'm_many', score: 400 + (nth % 300) },
  }));
  await storeTransactions(its, rows);
  for (const asked of [
    { account_id: 'acc_many', label: 'none' },
    { merchant_id: 'm_many', sort: 'amount', currency: 'USD' },
    { sort: 'score', client: 'nobody' },
  ]) {
    const parameters = scoreSearchParameters.parse({ limit: '10', ...asked });
    const read = await rowsRead(hurried, async (query) => {
      const databases = { ...alone(its), timed: { ...hurried, query } };
      return await searchScores(databases, parameters, () => createBudget(() => 0, 1));
    });
    const counts = [...read].flatMap(([table, n]) =>
      /^(transactions|scores)_/.test(table) ? n : [],
    );
    expect(counts).not.toEqual([]);
    expect(Math.max(...counts), JSON.stringify(asked)).toBeLessThanOrEqual(READ_MAX);
  }
});
