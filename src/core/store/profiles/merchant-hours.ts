/**
 * What merchants' siblings sum up to around given points, whatever the order in which rows are stored: by the hour, and within the
 * hour of a point. Every committed row counts, scored or not.
 */
import { textArray, timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { epochMs } from '../../../kit/database/statement.ts';
import { MERCHANT_DISTINCT_ENTRIES } from '../../domain/history.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { hourOf } from '../tallies/merchant-tallies.ts';

export type HourRow = {
  readonly merchantId: string;
  readonly hourMs: number;
  readonly currency: string;
  readonly count: number;
  /** Decimal sum of the amounts. */
  readonly sum: string;
  /** Whether a later reading, from the mark on, leaves these rows out. */
  readonly isSettled: boolean;
};

/** Every database transaction before the mark has ended, so that no row of such a transaction can appear any more. */
export type HoursRead = { readonly mark: string; readonly rows: readonly HourRow[] };

/**
 * A single statement, hence one snapshot: the rows stored since the last reading, and the whole past of merchants that the reader
 * does not know, from their durable hours where these are complete. Rows ahead of the server's own ids came with a dump, and are as
 * settled as rows can be. `in (select …) is true` keeps the planner from looking for stored rows by merchant.
 */
const hoursStatement: Statement = {
  name: 'merchant-hours',
  text: `
    with now as materialized (
      select pg_snapshot_xmin(pg_current_snapshot()) as open_from, pg_snapshot_xmax(pg_current_snapshot()) as end_at, folded_to
        from market.tally_checkpoint
    ), fresh as materialized (
      select u.id, u.since, m.merchant_id is not null and now.folded_to <= now.end_at as is_tallied
        from unnest($3::text[], $4::timestamptz[]) as u (id, since)
       cross join now
        left join market.tallied_merchants m on m.merchant_id = u.id and m.tallied_to = 'infinity'
    ), stored as (
      select t.merchant_id, t.created_at, t.currency, t.amount, t.inserted_xid
        from market.transactions t
       where t.inserted_xid >= $1::xid8 and t.inserted_xid < (select end_at from now)
         and (t.merchant_id in (select unnest($2::text[]))) is true
       union all
      select t.merchant_id, t.created_at, t.currency, t.amount, t.inserted_xid
        from market.transactions t
       where exists (select from fresh where is_tallied)
         and t.inserted_xid >= (select folded_to from now) and t.inserted_xid < (select end_at from now)
         and (t.merchant_id in (select id from fresh where is_tallied and t.created_at >= since)) is true
       union all
      select t.merchant_id, t.created_at, t.currency, t.amount, t.inserted_xid
        from fresh cross join lateral (
          select * from market.transactions t where t.merchant_id = fresh.id and t.created_at >= fresh.since) t
       where not fresh.is_tallied
    )
    select open_from::text as mark, x.merchant_id as "merchantId", ${epochMs('x.hour_at')} as "hourMs", x.currency,
           x.count::float8 as count, x.sum::text as sum, x.is_settled as "isSettled"
      from now left join lateral (
        select merchant_id, ${hourOf('created_at')} as hour_at, currency, count(*) as count, sum(amount) as sum,
               (inserted_xid < open_from or inserted_xid >= end_at) as is_settled
          from stored group by 1, 2, 3, 6
         union all
        select h.merchant_id, h.hour_at, h.currency, h.count, h.sum, true
          from fresh join market.merchant_hours h on h.merchant_id = fresh.id and h.hour_at >= fresh.since
         where fresh.is_tallied
      ) x on true`,
};

/**
 * The rows that were stored since `mark` by merchants that are known, and all rows of the others since their times, which are
 * beginnings of hours.
 */
export async function readHours(
  query: Query,
  mark: string,
  known: readonly string[],
  others: readonly { readonly merchantId: string; readonly sinceMs: number }[],
): Promise<HoursRead> {
  const rows = await query<HourRow & { readonly mark: string; readonly merchantId: string | null }>(
    hoursStatement,
    [
      mark,
      textArray(known),
      textArray(others.map(({ merchantId }) => merchantId)),
      timestampArray(others.map(({ sinceMs }) => sinceMs)),
    ],
  );
  const [first] = rows;
  if (first === undefined) throw new Error('tally_checkpoint has lost its row');
  return { mark: first.mark, rows: rows.filter(({ merchantId }) => merchantId !== null) };
}

export type HourPoint = {
  readonly transaction: Transaction;
  /** Beginning of its hour. */
  readonly hourMs: number;
  /** Siblings before this count nowhere. */
  readonly sinceMs: number;
};

type OwnHourRow = {
  readonly count: number;
  readonly amounts: number;
  readonly sum: string | null;
  readonly accounts: number;
  readonly newestMs: number | null;
};

/** Points of one statement: a round trip costs as much as a few of them. */
const POINTS_MAX = 1024;

const ownHoursStatement: Statement = {
  name: 'merchant-own-hours',
  text: `
    select h.count::float8 as count, h.amounts::float8 as amounts, h.sum::text as sum, h.accounts::float8 as accounts,
           ${epochMs('coalesce(h.newest, before.newest)')} as "newestMs"
      from unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[])
           with ordinality as p (party, at, id, currency, hour_at, since, point)
     cross join lateral (
       select count(*) as count, count(*) filter (where s.currency = p.currency) as amounts,
              sum(s.amount) filter (where s.currency = p.currency) as sum, max(s.created_at) as newest,
              count(distinct s.account_id) filter (where s.nth <= ${MERCHANT_DISTINCT_ENTRIES}) as accounts
         from (select t.created_at, t.currency, t.amount, t.account_id,
                      row_number() over (order by t.created_at desc, t.transaction_id desc) as nth
                 from market.transactions t
                where t.merchant_id = p.party and t.created_at >= p.hour_at and t.created_at <= p.at
                  and (t.created_at, t.transaction_id) < (p.at, p.id)) s) h
      left join lateral (
       select t.created_at as newest from market.transactions t
        where h.count = 0 and t.merchant_id = p.party and t.created_at >= p.since and t.created_at < p.hour_at
        order by t.created_at desc limit 1) before on true
     order by p.point`,
};

/** What the siblings of each point's own hour sum up to, in the order of the points. */
export async function readOwnHours(
  query: Query,
  points: readonly HourPoint[],
): Promise<OwnHourRow[]> {
  const rows: OwnHourRow[] = [];
  for (let done = 0; done < points.length; done += POINTS_MAX) {
    const page = points.slice(done, done + POINTS_MAX);
    const values = [
      textArray(page.map(({ transaction }) => transaction.merchantId)),
      timestampArray(page.map(({ transaction }) => transaction.createdAtMs)),
      uuidArray(page.map(({ transaction }) => transaction.transactionId)),
      textArray(page.map(({ transaction }) => transaction.currency)),
      timestampArray(page.map(({ hourMs }) => hourMs)),
      timestampArray(page.map(({ sinceMs }) => sinceMs)),
    ];
    rows.push(...(await query<OwnHourRow>(ownHoursStatement, values)));
  }
  return rows;
}
