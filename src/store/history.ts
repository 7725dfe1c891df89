/**
 * What Postgres knows of accounts and merchants around given transactions: the source of every rebuilt
 * profile. Every committed row counts, scored or not. One indexed statement for many points; bounds on
 * created_at let the planner skip the other months.
 */
import {
  ACCOUNT_HISTORY_DAYS,
  ACCOUNT_HISTORY_ENTRIES,
  type AccountPast,
  type MerchantPast,
  type MerchantTally,
  type PastTransaction,
  type Position,
} from '../domain/history.ts';
import type { Transaction } from '../domain/transaction.ts';
import { textArray, timestampArray, uuidArray } from './binary-array.ts';
import type { Query, Statement } from './pool.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * A rebuild reaches this much further back than a history, so that older arrivals still fit: each that does
 * not costs a rebuild of its own. Months without rows of the account cost an index probe each.
 */
const ACCOUNT_REACH_DAYS = 2 * ACCOUNT_HISTORY_DAYS;
/** Rows before a point: what one history may see. Rows from it on: spares rebuilds while a backlog is worked off. */
const ACCOUNT_ROWS_BEFORE = ACCOUNT_HISTORY_ENTRIES;
const ACCOUNT_ROWS_AFTER = 64;
const MERCHANT_REACH_DAYS = 40;
const MERCHANT_ROWS_BEFORE = 1024;
const MERCHANT_ROWS_AFTER = 1024;
/** Points of one statement: bounds its result to about 40,000 rows. */
const ACCOUNT_POINTS_MAX = 128;
const MERCHANT_POINTS_MAX = 20;

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Columns of a row, from `t`. */
const COLUMNS = `t.transaction_id, t.created_at, t.account_id, t.merchant_id, t.amount, t.currency, t.corridor,
                 t.device_id, t.country`;

/**
 * The inner order is the index's own, so that the reading stops after the wanted rows however many a
 * party has; ties of created_at are read to the end and cut in the order of ids. `0 * p.point` hides the
 * number from the planner: it guesses few rows a party, would read and sort them all, and does not when
 * it must expect to stop early.
 */
const around = (party: 'account_id' | 'merchant_id', before: number, after: number) => `
  select p.point::int, r.before, r.transaction_id, extract(epoch from r.created_at)::float8 * 1000 as created_at_ms,
         r.account_id, r.merchant_id, r.amount::text as amount, r.currency, r.corridor, r.device_id, r.country
    from unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::timestamptz[])
         with ordinality as p (party, at, id, since, point)
   cross join lateral (
     (select true as before, older.* from (
        select ${COLUMNS} from transactions t
         where t.${party} = p.party and t.created_at >= p.since and t.created_at <= p.at
           and (t.created_at, t.transaction_id) < (p.at, p.id)
         order by t.created_at desc fetch first (${before} + 0 * p.point) rows with ties) older
      order by older.created_at desc, older.transaction_id desc limit ${before})
     union all
     (select false, newer.* from (
        select ${COLUMNS} from transactions t
         where t.${party} = p.party and t.created_at >= p.at
           and (t.created_at, t.transaction_id) >= (p.at, p.id)
         order by t.created_at fetch first (${after} + 0 * p.point) rows with ties) newer
      order by newer.created_at, newer.transaction_id limit ${after})
   ) r`;

/** One row more than wanted tells whether there are more, and where the wanted ones begin. */
const aroundAccounts: Statement = {
  name: 'past-around-accounts',
  text: around('account_id', ACCOUNT_ROWS_BEFORE + 1, ACCOUNT_ROWS_AFTER + 1),
};

const aroundMerchants: Statement = {
  name: 'past-around-merchants',
  text: around('merchant_id', MERCHANT_ROWS_BEFORE + 1, MERCHANT_ROWS_AFTER + 1),
};

const tallyMerchants: Statement = {
  name: 'past-tallies-of-merchants',
  text: `select p.point::int, extract(epoch from r.bucket)::float8 * 1000 as bucket_ms, r.daily, r.currency, r.count, r.sum
           from unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::uuid[], $5::timestamptz[])
                with ordinality as p (party, since, at, id, hourly_since, point)
          cross join lateral (
            select date_bin(case when t.created_at < p.hourly_since then interval '24 hours' else interval '1 hour' end,
                            t.created_at, timestamptz '1970-01-01T00:00:00Z') as bucket,
                   t.created_at < p.hourly_since as daily, t.currency,
                   count(*)::int as count, sum(t.amount)::text as sum
              from transactions t
             where t.merchant_id = p.party and t.created_at >= p.since and t.created_at <= p.at
               and (t.created_at, t.transaction_id) <= (p.at, p.id)
             group by 1, 2, 3
          ) r`,
};

type AroundRow = {
  point: number;
  before: boolean;
  transaction_id: string;
  created_at_ms: number;
  account_id: string;
  merchant_id: string;
  amount: string;
  currency: string;
  corridor: string;
  device_id: string | null;
  country: string | null;
};

type TallyRow = {
  point: number;
  bucket_ms: number;
  daily: boolean;
  currency: string;
  count: number;
  sum: string;
};

/** Rows around one point, in rising order, and where they end if there are more. */
type Around = {
  readonly rows: PastTransaction[];
  /** The newest row before the point that is not in `rows`. */
  readonly floor: Position | null;
  /** The newest of `rows`, if there are more after it. */
  readonly ceiling: Position | null;
};

/** One past a transaction, in their order: its account's rows around it. */
export async function loadAccountPasts(
  query: Query,
  transactions: readonly Transaction[],
): Promise<AccountPast[]> {
  const pasts: AccountPast[] = [];
  for (const chunk of chunksOf(transactions, ACCOUNT_POINTS_MAX)) {
    const since = chunk.map((t) => t.createdAtMs - ACCOUNT_REACH_DAYS * DAY_MS);
    const accounts = chunk.map((t) => t.accountId);
    const rows = await query<AroundRow>(aroundAccounts, pointValues(chunk, accounts, since));
    const limits = { before: ACCOUNT_ROWS_BEFORE, after: ACCOUNT_ROWS_AFTER };
    for (const [index, { rows: known, floor, ceiling }] of arrange(rows, chunk, limits).entries()) {
      const createdAtMs = since[index] ?? 0;
      pasts.push({
        rows: known,
        floor: floor ?? { createdAtMs, transactionId: FIRST_ID },
        ceiling,
      });
    }
  }
  return pasts;
}

/** One past a transaction, in their order: its merchant's rows around it and the tallies of those before. */
export async function loadMerchantPasts(
  query: Query,
  transactions: readonly Transaction[],
): Promise<MerchantPast[]> {
  const pasts: MerchantPast[] = [];
  for (const chunk of chunksOf(transactions, MERCHANT_POINTS_MAX)) {
    const since = chunk.map((t) => dayOf(t.createdAtMs) - MERCHANT_REACH_DAYS * DAY_MS);
    const merchants = chunk.map((t) => t.merchantId);
    const rows = await query<AroundRow>(aroundMerchants, pointValues(chunk, merchants, since));
    const limits = { before: MERCHANT_ROWS_BEFORE, after: MERCHANT_ROWS_AFTER };
    const arounds = arrange(rows, chunk, limits);
    const tallies = await loadTallies(query, chunk, since, arounds);
    for (const [index, { rows: known, floor, ceiling }] of arounds.entries()) {
      const knownFromMs = since[index] ?? 0;
      pasts.push({
        rows: known,
        tallies: tallies[index] ?? [],
        horizon: floor,
        knownFromMs,
        ceiling,
      });
    }
  }
  return pasts;
}

/** Hours for the horizon's day and the one before it, days before that: as the fold keeps them. */
async function loadTallies(
  query: Query,
  points: readonly Transaction[],
  since: readonly number[],
  arounds: readonly Around[],
): Promise<MerchantTally[][]> {
  const busy = arounds.flatMap(({ floor }, index) => (floor === null ? [] : [{ floor, index }]));
  const tallies: MerchantTally[][] = points.map(() => []);
  if (busy.length === 0) return tallies;
  const rows = await query<TallyRow>(tallyMerchants, [
    textArray(busy.map(({ index }) => points[index]?.merchantId ?? '')),
    timestampArray(busy.map(({ index }) => since[index] ?? 0)),
    timestampArray(busy.map(({ floor }) => floor.createdAtMs)),
    uuidArray(busy.map(({ floor }) => floor.transactionId)),
    timestampArray(busy.map(({ floor }) => dayOf(floor.createdAtMs) - DAY_MS)),
  ]);
  for (const { point, bucket_ms: bucketMs, daily, currency, count, sum } of rows) {
    const index = busy[point - 1]?.index ?? -1;
    tallies[index]?.push({ bucketMs, daily, currency, count, sum });
  }
  return tallies;
}

function pointValues(
  points: readonly Transaction[],
  parties: readonly string[],
  since: readonly number[],
): Buffer[] {
  return [
    textArray(parties),
    timestampArray(points.map((point) => point.createdAtMs)),
    uuidArray(points.map((point) => point.transactionId)),
    timestampArray(since),
  ];
}

function arrange(
  rows: readonly AroundRow[],
  points: readonly Transaction[],
  limits: { readonly before: number; readonly after: number },
): Around[] {
  const before: PastTransaction[][] = points.map(() => []);
  const after: PastTransaction[][] = points.map(() => []);
  for (const row of rows) (row.before ? before : after)[row.point - 1]?.push(toPast(row));
  return points.map((_, index) => {
    const older = (before[index] ?? []).sort(byPosition);
    const newer = (after[index] ?? []).sort(byPosition);
    const floor = older.length > limits.before ? (older.shift() ?? null) : null;
    const isCut = newer.length > limits.after;
    if (isCut) newer.pop();
    return { rows: [...older, ...newer], floor, ceiling: isCut ? (newer.at(-1) ?? null) : null };
  });
}

function toPast(row: AroundRow): PastTransaction {
  return {
    transactionId: row.transaction_id,
    createdAtMs: Math.round(row.created_at_ms),
    accountId: row.account_id,
    merchantId: row.merchant_id,
    amount: row.amount,
    currency: row.currency,
    corridor: row.corridor,
    deviceId: row.device_id,
    country: row.country,
  };
}

/** The order of (created_at, transaction_id); canonical lower-case UUIDs compare like their bytes. */
function byPosition(a: Position, b: Position): number {
  if (a.createdAtMs !== b.createdAtMs) return a.createdAtMs - b.createdAtMs;
  return a.transactionId < b.transactionId ? -1 : 1;
}

function* chunksOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}
