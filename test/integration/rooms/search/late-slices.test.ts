/**
 * Goal: a search that Postgres answers slowly ends in time, says how far it looked, and goes on there; a month that nobody has
 * analyzed yet does not make it slow, and a party stays known.
 * Method: a lock makes slices late on real Postgres until one has failed; the rows of plans are counted.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createBudget } from '../../../../src/core/store/search/walk.ts';
import type { Database, Query } from '../../../../src/kit/database/pool.ts';
import type { Databases } from '../../../../src/kit/database/replica/choose-database.ts';
import {
  scoreSearchParameters,
  transactionSearchParameters,
} from '../../../../src/rooms/search/queries/parameters.ts';
import { makeProfile } from '../../../../src/rooms/search/queries/party-profile.ts';
import { searchScores, searchTransactions } from '../../../../src/rooms/search/queries/search.ts';
import { createTestDatabase, type TestDatabase } from '../../../support/database.ts';
import { allPages, alone, DAY_MS, NOVEMBER, openTimed } from '../../../support/reads.ts';
import { rowsRead } from '../../../support/rows-read.ts';
import { expectedIds, seedsOf, storeSearched } from '../../../support/searched-rows.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';

const SEEDS = seedsOf(1200);
/** A statement takes so long at most. */
const LATE_MS = 300;

let testDatabase: TestDatabase;
let database: Database;
let timed: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.open();
  timed = openTimed(testDatabase, { RISK_STATEMENT_TIMEOUT_MS: `${LATE_MS}` });
  await storeSearched(testDatabase, database, SEEDS);
});
afterAll(async () => {
  await timed[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

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

test('a stretch that was begun is read patiently to its end', async () => {
  const asked = { sort: 'amount', currency: 'USD', limit: '100' };
  const first = await list(alone(database), asked);
  const { databases, lates } = withLate(1);
  const second = await list(databases, { ...asked, cursor: first.next_cursor ?? '' });
  expect(lates()).toBe(1);
  const listed = [...first.items, ...second.items].map((item) => item.transaction_id);
  expect(listed).toEqual(expectedIds('transactions', asked, SEEDS).slice(0, 200));
});

test('a total whose slice is late says that there are more', async () => {
  const { databases, lates } = withLate(2);
  const page = await list(databases, { limit: '1', total: 'true' });
  expect(lates()).toBe(1);
  expect(page).toMatchObject({ complete: true, total: { count: 0, more: true } });
});

test('where no connection for slices is free, another one reads the first slice', async () => {
  await using busy = testDatabase.open({ connectionsMax: 1, connectTimeoutMs: LATE_MS });
  await busy.transaction(async () => {
    const page = await list({ ...alone(database), timed: busy }, { limit: '20' });
    expect(page.items).toHaveLength(20);
  });
});

test('connections for slices give a statement a second, and prefer the order of an index', async () => {
  await using usual = openTimed(testDatabase);
  const text = `select current_setting('statement_timeout') as timeout, current_setting('enable_sort') as sort`;
  expect(await usual.query({ text })).toEqual([{ timeout: '1s', sort: 'off' }]);
});

describe('the profile of a party that was active months ago', () => {
  const months = 70 * DAY_MS;
  beforeAll(async () => {
    await storeTransactions(database, [
      { createdAtMs: NOVEMBER - months, accountId: 'acc_before' },
    ]);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  const profile = (databases: Databases) =>
    makeProfile(databases, 'account', 'acc_before', NOVEMBER);

  test('is found however long the months since take', async () => {
    let nowMs = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => {
      nowMs += 10_000;
      return nowMs;
    });
    expect(JSON.parse((await profile({ ...alone(database), timed }))?.text ?? '')).toMatchObject({
      recent: [{ account_id: 'acc_before' }],
    });
  });

  test('is unavailable, and not unknown, where a month is late', async () => {
    const { databases, lates } = withLate(2);
    await expect(profile(databases)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(lates()).toBe(1);
  });
});

const ROWS = 10_000;
/** Rows that a page of ten looks at, each in both of its statements, and in each table. */
const READ_MAX = 4 * 500;

describe('of a month that nobody has analyzed', () => {
  let other: TestDatabase;
  let its: Database;
  let itsHurried: Database;
  beforeAll(async () => {
    other = await createTestDatabase();
    its = other.open();
    itsHurried = openTimed(other);
    await storeUnanalyzed(other, its);
  });
  afterAll(async () => {
    await itsHurried[Symbol.asyncDispose]();
    await its[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  test.each<Asked>([
    { account_id: 'acc_many' },
    { account_id: 'acc_many', label: 'none' },
    { merchant_id: 'm_many', sort: 'amount', currency: 'USD' },
    { sort: 'score' },
    { sort: 'score', order: 'asc', min_score: '300' },
    { sort: 'score', client: 'nobody' },
  ])('%j reads no more than its slices hold', async (asked) => {
    const read = await rowsRead(itsHurried, async (query: Query) => {
      const databases = { ...alone(its), timed: { ...itsHurried, query } };
      const parameters = scoreSearchParameters.parse({ limit: '10', ...asked });
      return await searchScores(databases, parameters, () => createBudget(() => 0, 1));
    });
    const rows = [...read].filter(([table]) => /^(transactions|scores)_/.test(table));
    expect(rows.length).toBeGreaterThan(0);
    for (const [, count] of rows) expect(count).toBeLessThanOrEqual(READ_MAX);
  });
});

/** Risky scores of one account and merchant, all of a day. */
async function storeUnanalyzed(of: TestDatabase, its: Database): Promise<void> {
  const day = NOVEMBER - 3 * DAY_MS;
  await storeTransactions(its, [{ createdAtMs: day, score: 5 }]);
  await of.sql(
    `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency)
     select 'default', (lpad(to_hex(at), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, to_timestamp(at / 1000.0), now(),
            'acc_many', 'm_many', 'US-EG', 1 + n % 300, 'USD'
       from generate_series(1, $2::int) n, lateral (select $1::bigint + 1000 + n as at) times`,
    [day, ROWS],
  );
  await of.sql(
    `insert into scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons, features,
       feature_schema, rule_set, attempts, degradation)
     select 0, transaction_id, created_at, created_at, account_id, corridor, 400 + amount, 0.9, 'decline', '[]', '', 3, 'default@3', 1, 0
       from transactions where account_id = 'acc_many'`,
  );
}
