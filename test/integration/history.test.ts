/**
 * Goal: a rebuild reads the rows it needs and no more, whatever the size of the party and the number
 * of months. Method: the plans that the server really executed.
 */
import { describe, expect, test } from 'vitest';
import {
  ACCOUNT_HISTORY_DAYS,
  type AccountPast,
  LABEL_MATURITY_DAYS,
  type MerchantPast,
  SHARED_ENTRIES,
  SHARED_OLDEST,
} from '../../src/core/domain/history.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { ensurePartitions, partitionName } from '../../src/core/store/partitions/partitions.ts';
import {
  loadAccountPasts,
  loadMerchantPasts,
  loadSharedPasts,
} from '../../src/core/store/profiles/history.ts';
import { FEW_ROWS } from '../../src/core/store/profiles/past-queries.ts';
import { createTallies } from '../../src/core/store/tallies/fold-tallies.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { openTestDatabase } from '../support/database.ts';
import { rowsRead } from '../support/rows-read.ts';
import { waitUntil } from '../support/wait-until.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Twice as many rows as one history uses. */
const REACH_MS = (ACCOUNT_HISTORY_DAYS + 30) * 86_400_000;
const END_MS = Date.UTC(2026, 11, 15);
const MONTHS = 15;
const ROWS = 20_000;
/** Rows that a rebuild of an account needs before its point, and one that shows whether there are more. */
const ACCOUNT_ROWS = 257;
/** 90 days that end a week ago, and room for late arrivals. */
const MERCHANT_DAYS = 107;
/** Listed rows, an hour of the reach each, those of a part, and the parts of the most crowded hour. */
const REBUILD_ROWS_MAX = 1026 + MERCHANT_DAYS * 24 + 4096 + 50;

const { testDatabase, database } = await openTestDatabase();
const sql = testDatabase.sql;
const newest = monthOf(END_MS) + 1;
await ensurePartitions(
  database,
  Array.from({ length: MONTHS }, (_, index) => newest - index),
);
// A row every 18 minutes; every second row is of one busy account at one busy merchant.
await testDatabase.sql(
  `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency,
                             device_id, ip, ip_party)
   select 'default', (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7abc8' || lpad(to_hex(i), 15, '0'))::uuid,
          at, now(), case when i % 2 = 0 then 'acc_busy' else 'acc_' || i % 500 end,
          case when i % 2 = 0 then 'm_busy' else 'm_' || i % 300 end, 'US-EG', 10, 'USD',
          case when i % 2 = 0 then 'till' end, case when i % 2 = 0 then '203.0.113.7' end, case when i % 2 = 0 then '203.0.113.0/24' end
     from (select i, to_timestamp($1::float8 / 1000) - i * interval '18 minutes' as at
             from generate_series(1, $2::int) i) rows`,
  [END_MS, ROWS],
);
await testDatabase.sql('vacuum analyze transactions');

function pointAt(createdAtMs: number, accountId: string, merchantId: string): Transaction {
  const time = createdAtMs.toString(16).padStart(12, '0');
  return {
    transactionId: `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`,
    createdAtMs,
    receivedAtMs: createdAtMs,
    accountId,
    merchantId,
    amount: '10',
    currency: 'USD',
    corridor: 'US-EG',
    type: null,
    ip: null,
    deviceId: null,
    country: null,
    channel: null,
    declared: null,
  };
}

/** Tables that grow with the party, of those that a rebuild reads: transactions and their tallies. */
const TABLES = /^(transactions_|merchant_hour)/;

/** Counts the rows that the statements of `work` read from each partition of transactions, and of tallies. */
async function rowsOfPast(work: (query: Query) => Promise<unknown>): Promise<Map<string, number>> {
  const read = await rowsRead(database, work);
  return new Map([...read].filter(([table]) => TABLES.test(table)));
}

const total = (read: Map<string, number>) =>
  [...read.values()].reduce((sum, rows) => sum + rows, 0);

const loadPastsOfMerchants = (query: Query, points: readonly Transaction[]) =>
  loadMerchantPasts(query, points, LABEL_MATURITY_DAYS);

describe('loadAccountPasts', () => {
  test('stops after the rows it wants of a busy account', async () => {
    const point = pointAt(END_MS, 'acc_busy', 'm_busy');
    const read = await rowsOfPast((query) => Array.fromAsync(loadAccountPasts(query, [point])));
    expect(total(read)).toBeLessThanOrEqual(ACCOUNT_ROWS + 2);
    expect([...read.keys()].filter((name) => name < 'transactions_y2026m12')).toEqual([]);
  });

  test('reads the months of its reach and none before', async () => {
    const point = pointAt(Date.UTC(2026, 10, 20), 'acc_7', 'm_7');
    const read = await rowsOfPast((query) => Array.fromAsync(loadAccountPasts(query, [point])));
    const oldest = partitionName('transactions', monthOf(point.createdAtMs - REACH_MS));
    expect([...read.keys()].sort()[0]).toBe(oldest);
    expect(total(read)).toBeLessThan(200);
  });
});

test.each(['device', 'address'] as const)(
  'the past of a busy %s is its newest rows and the times of its oldest, and no others are read',
  async (kind) => {
    const point = { ...pointAt(END_MS, 'acc_busy', 'm_busy'), deviceId: 'till', ip: '203.0.113.7' };
    const read = await rowsOfPast((query) =>
      Array.fromAsync(loadSharedPasts(query, kind, [point])),
    );
    expect(total(read)).toBeLessThanOrEqual(SHARED_ENTRIES + 3 + SHARED_OLDEST);
    const [past] = await Array.fromAsync(loadSharedPasts(database.query, kind, [point]));
    expect([past?.rows.length, past?.oldest.times.length]).toEqual([
      SHARED_ENTRIES + 1,
      SHARED_OLDEST,
    ]);
  },
);

/** Far more rows than one statement may return. */
const BUSY_POINTS = 80;

type Load = (
  query: Query,
  points: readonly Transaction[],
) => AsyncGenerator<AccountPast | MerchantPast>;

const LOADS: readonly [string, Load][] = [
  ['loadAccountPasts', loadAccountPasts],
  ['loadMerchantPasts', loadPastsOfMerchants],
];

test.each(LOADS)('%s of many busy points is the same as one by one', async (_, load) => {
  const points = Array.from({ length: BUSY_POINTS }, (_, index) =>
    pointAt(END_MS - index * HOUR_MS, 'acc_busy', 'm_busy'),
  );
  const statements: string[] = [];
  const counted: Query = (statement, values) => {
    statements.push(statement.name ?? '');
    return database.query(statement, values);
  };
  const around = () => statements.filter((name) => name.startsWith('past-around')).length;
  const pasts: (AccountPast | MerchantPast)[] = [];
  for await (const past of load(counted, points)) {
    // Rows that were not requested yet are not read, as a worker has no memory for all of them.
    if (pasts.length === 0) expect(around()).toBe(1);
    pasts.push(past);
  }
  expect(around()).toBeGreaterThan(1);
  expect(statements.filter((name) => name.startsWith('frauds'))).toHaveLength(1);
  for (const index of [0, 17, 18, 19, 60, 61, 62, 63, BUSY_POINTS - 1]) {
    const [alone] = await Array.fromAsync(load(database.query, [points[index] as Transaction]));
    expect(pasts[index]).toEqual(alone);
  }
  expect(pasts).toHaveLength(BUSY_POINTS);
});

type LoadAny = (query: Query, points: readonly Transaction[]) => AsyncGenerator<unknown>;

test.each<[string, LoadAny]>([
  ...LOADS,
  ['loadSharedPasts', (query, points) => loadSharedPasts(query, 'device', points)],
])('%s of parties with few rows and with many is the same as one by one', async (_, load) => {
  const rows = [...Array(2 * FEW_ROWS).keys()];
  const points = rows.map((count) => {
    const party = `few_${count}`;
    return { ...pointAt(END_MS - 40 * DAY_MS, party, party), deviceId: party };
  });
  await sql(
    `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency, device_id)
       select 'default', (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7abc9' || lpad(to_hex(i * 100 + n), 15, '0'))::uuid,
              at, now(), 'few_' || n, 'few_' || n, 'US-EG', 10, 'USD', 'few_' || n
         from generate_series(0, $1::int) n
        cross join lateral (select i, to_timestamp($2::float8 / 1000) - i * interval '3 days' as at from generate_series(1, n) i) rows
           on conflict do nothing`,
    [rows.length - 1, END_MS - 20 * DAY_MS],
  );
  const together = await Array.fromAsync(load(database.query, points));
  for (const [at, point] of points.entries())
    expect(await Array.fromAsync(load(database.query, [point]))).toEqual([together[at]]);
});

/** Time for inserting tens of thousands of rows. */

describe('a merchant of many times what a rebuild reads', () => {
  const ROWS_OF_REACH = 16_000;
  const ROWS_OF_HOUR = 8_000;
  /** In the middle of an hour that has a third of all rows. */
  const CROWDED_MS = END_MS - 40 * DAY_MS + HOUR_MS / 2;
  const points = [END_MS, CROWDED_MS, CROWDED_MS + 123_456, END_MS - 10 * DAY_MS].map((ms) =>
    pointAt(ms, 'acc_7', 'm_huge'),
  );
  const insertRows = async (rows: number, newestMs: number, spacingMs: number) =>
    await sql(
      `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency)
       select 'default', (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(i::text), 1, 3) || '8'
               || lpad(to_hex(i), 15, '0'))::uuid, at, now(), 'acc_' || i % 500, 'm_huge', 'US-EG', 10, 'USD'
         from (select i, (to_timestamp($1::float8 / 1000) - i * $3::float8 * interval '1 ms')::timestamptz(3) as at
                 from generate_series(1, $2::int) i) rows`,
      [newestMs, rows, spacingMs],
    );
  const load = async () => {
    const pasts = await Array.fromAsync(loadPastsOfMerchants(database.query, points));
    return pasts.map(({ tallies, ...past }) => ({
      ...past,
      tallies: tallies.toSorted((a, b) => a.bucketMs - b.bucketMs),
    }));
  };

  test('reads a bounded number of rows once it is tallied, and finds the same', async () => {
    await insertRows(ROWS_OF_REACH, END_MS, (MERCHANT_DAYS * DAY_MS) / ROWS_OF_REACH);
    await insertRows(ROWS_OF_HOUR, END_MS - 40 * DAY_MS + HOUR_MS, HOUR_MS / ROWS_OF_HOUR);
    const counted = await load();
    expect(await sql('select merchant_id from tallied_merchants order by 1')).toContainEqual({
      merchant_id: 'm_huge',
    });

    const tallies = createTallies(database, Math.random);
    // Open database transactions of other tests delay the checkpoint.
    const isFolded = async () => {
      const { isBehind } = await tallies.fold();
      const tail =
        'select from transactions where inserted_xid >= (select folded_to from tally_checkpoint) limit 1';
      return !isBehind && (await sql(tail)).length === 0;
    };
    await waitUntil(isFolded, 30_000, 'all rows to be folded');
    while (await tallies.fill());
    await sql('vacuum analyze merchant_hours, merchant_hour_parts, transactions');

    expect(await load()).toEqual(counted);
    for (const point of points) {
      const read = await rowsOfPast((query) =>
        Array.fromAsync(loadPastsOfMerchants(query, [point])),
      );
      expect(total(read)).toBeLessThanOrEqual(REBUILD_ROWS_MAX);
    }
  });
});
