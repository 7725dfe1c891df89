/**
 * The statements that read the rows of accounts and merchants around given points, and how the two differ. Bounds on created_at let
 * the planner skip the other months.
 */
import { unsized } from '../../../kit/database/binary-array.ts';
import { epochMs } from '../../../kit/database/statement.ts';
import { DAY_MS, dayOf } from '../../../kit/words/range.ts';
import {
  ACCOUNT_HISTORY_DAYS,
  ACCOUNT_HISTORY_ENTRIES,
  FRAUDS_SEEN_MAX,
  merchantReachDays,
  type PastTransaction,
} from '../../domain/history.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { ofMonths } from '../within-months.ts';
import { createLoadFrauds, type LoadFrauds, type PartyColumn } from './known-frauds.ts';

/**
 * Days of lateness up to which an account's rebuild is complete: each transaction that is later needs a rebuild of its own. More:
 * each month costs every rebuild an index probe.
 */
const ACCOUNT_LATE_DAYS = 30;
const ACCOUNT_REACH_DAYS = ACCOUNT_HISTORY_DAYS + ACCOUNT_LATE_DAYS;
/** A history may use the rows before a point; rows from the point on spare rebuilds while a backlog is worked off. */
const ACCOUNT_ROWS_BEFORE = ACCOUNT_HISTORY_ENTRIES;
const ACCOUNT_ROWS_AFTER = 64;
/** The two bounds add up to the most that a list keeps when it is cut (merchant-profile.ts). */
const MERCHANT_ROWS_BEFORE = 512;
const MERCHANT_ROWS_AFTER = 512;
/**
 * Most rows of one statement's result; the rest is requested again. Two merchants can have this many: with
 * 4,000 they outlive a young generation, 6 MiB of heap more for the same processor time, and with 1,100 the
 * client takes 15 % more.
 */
export const ROWS_MAX = 2 * (MERCHANT_ROWS_BEFORE + MERCHANT_ROWS_AFTER + 2);

/** A row around a point, and whatever else a statement reads beside it. */
export type PastRow = PastTransaction & { readonly point: number };

/** Columns of a PastTransaction in a row of `alias`. */
export const pastColumns = (alias: string) => `
  ${alias}.transaction_id as "transactionId", ${epochMs(`${alias}.created_at`)} as "createdAtMs",
  ${alias}.account_id as "accountId", ${alias}.merchant_id as "merchantId", ${alias}.amount, ${alias}.currency,
  ${alias}.corridor, ${alias}.device_id as "deviceId", ${alias}.country`;
const STORED = `t.created_at, t.transaction_id, t.account_id, t.merchant_id, t.amount, t.currency, t.corridor, t.device_id, t.country`;

/**
 * The inner order is the index's own, so that the reading stops after the wanted rows however many a
 * party has; ties of created_at are read to the end and cut in the order of ids. `0 * p.point` hides the
 * number from the planner: it guesses few rows a party, would read and sort them all, and does not when
 * it must expect to stop early. Points are put in order first, so that a result which is cut off holds
 * all rows of every point but its last. A point has one row at least; where frauds are to be looked for ($5) and a
 * party has any, it has no more.
 */
const around = (party: PartyColumn, before: number, after: number) =>
  ofMonths(
    `past-around-${party}-${before}`,
    (within) => `
  select p.point::int, p.has_frauds as "hasFrauds", ${pastColumns('r')}
    from (select u.*, $5::boolean and exists (
                   select from market.labels l
                    where l.${party} = u.party and l.label = 'fraud' and l.created_at >= u.since and ${within('l')}) as has_frauds
            from unnest(${unsized('$1::text[]')}, $2::timestamptz[], $3::uuid[], $4::timestamptz[])
                 with ordinality as u (party, at, id, since, point) order by point) p
    left join lateral (
     (select older.* from (
        select ${STORED} from market.transactions t
         where not p.has_frauds and t.${party} = p.party and t.created_at >= p.since and t.created_at <= p.at and ${within('t')}
           and (t.created_at, t.transaction_id) < (p.at, p.id)
         order by t.created_at desc fetch first (${before} + 0 * p.point) rows with ties) older
      order by older.created_at desc, older.transaction_id desc limit ${before})
     union all
     (select newer.* from (
        select ${STORED} from market.transactions t
         where not p.has_frauds and t.${party} = p.party and t.created_at >= p.at and ${within('t')}
           and (t.created_at, t.transaction_id) >= (p.at, p.id)
         order by t.created_at fetch first (${after} + 0 * p.point) rows with ties) newer
      order by newer.created_at, newer.transaction_id limit ${after})
   ) r on true
   order by p.point limit ${ROWS_MAX + 1}`,
  );

/** The differences between accounts and merchants. */
export type PastQuery = {
  readonly party: PartyColumn;
  readonly statement: ReturnType<typeof around>;
  readonly before: number;
  readonly after: number;
  readonly loadFrauds: LoadFrauds;
  readonly sinceMs: (point: Transaction) => number;
  readonly partyOf: (point: Transaction) => string;
};

/** A row more than needed shows whether there are more rows, and where the needed rows begin. */
export const ACCOUNTS: PastQuery = {
  party: 'account_id',
  statement: around('account_id', ACCOUNT_ROWS_BEFORE + 1, ACCOUNT_ROWS_AFTER + 1),
  before: ACCOUNT_ROWS_BEFORE,
  after: ACCOUNT_ROWS_AFTER,
  // At most what a history uses, and no more behind a point than there are rows.
  loadFrauds: createLoadFrauds('account_id', ACCOUNT_ROWS_BEFORE, ACCOUNT_ROWS_AFTER + 1),
  sinceMs: (point) => point.createdAtMs - ACCOUNT_REACH_DAYS * DAY_MS,
  partyOf: (point) => point.accountId,
};

/** The same for readers that leave out one of the rows. */
export const ACCOUNTS_BUT_ONE: PastQuery = {
  ...ACCOUNTS,
  statement: around('account_id', ACCOUNT_ROWS_BEFORE + 2, ACCOUNT_ROWS_AFTER + 1),
  before: ACCOUNT_ROWS_BEFORE + 1,
  loadFrauds: createLoadFrauds('account_id', ACCOUNT_ROWS_BEFORE + 1, ACCOUNT_ROWS_AFTER + 1),
};

const aroundMerchants = around('merchant_id', MERCHANT_ROWS_BEFORE + 1, MERCHANT_ROWS_AFTER + 1);
const loadFraudsOfMerchants = createLoadFrauds(
  'merchant_id',
  FRAUDS_SEEN_MAX + 1,
  MERCHANT_ROWS_AFTER + 1,
);

/** The part of a merchant's query that does not depend on the maturity of labels. */
export const MERCHANTS = {
  party: 'merchant_id',
  partyOf: (point: Transaction) => point.merchantId,
} as const;

export function merchantPast(maturityDays: number): PastQuery {
  const reachMs = merchantReachDays(maturityDays) * DAY_MS;
  return {
    ...MERCHANTS,
    statement: aroundMerchants,
    before: MERCHANT_ROWS_BEFORE,
    after: MERCHANT_ROWS_AFTER,
    loadFrauds: loadFraudsOfMerchants,
    sinceMs: (point) => dayOf(point.createdAtMs) - reachMs,
  };
}
