/**
 * Sums of merchants' rows by the hour, and the rows of given hours, whatever the order in which rows are stored. Every committed row
 * counts, scored or not.
 */
import { textArray, timestampArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { epochMs } from '../../../kit/database/statement.ts';
import type { PastTransaction } from '../../domain/history.ts';
import { hourOf } from '../tallies/merchant-tallies.ts';
import { pastColumns } from './past-queries.ts';

/** A stored row, or with a null id what the rows of an hour sum up to: `createdAtMs` is the hour, `amount` the sum. */
export type HourRow = {
  readonly merchantId: string;
  readonly transactionId: string | null;
  readonly createdAtMs: number;
  readonly accountId: string;
  readonly currency: string;
  readonly count: number;
  /** Decimal. */
  readonly amount: string;
  /** Whether a later reading, from the mark on, leaves it out. */
  readonly isSettled: boolean;
};

/** A merchant with no more rows is read row by row: its durable hours lack what all merchants stored since these were folded. */
const FEW_ROWS = 20_000;

/**
 * A single statement, hence one snapshot: the rows stored since the last reading, and the whole past of merchants that the reader
 * does not know, from their durable hours where these are complete and spare more than the reading of all rows that they lack. Rows ahead of the server's own ids came with a dump, and are as
 * settled as rows can be. `in (select …) is true` keeps the planner from looking for stored rows by merchant.
 */
const hoursStatement: Statement = {
  name: 'merchant-hours',
  text: `
    with now as materialized (
      select pg_snapshot_xmin(pg_current_snapshot()) as open_from, pg_snapshot_xmax(pg_current_snapshot()) as end_at, folded_to
        from market.tally_checkpoint
    ), fresh as materialized (
      select u.id, u.since,
             m.merchant_id is not null and now.folded_to <= now.end_at
               and (select sum(h.count) > ${FEW_ROWS} from market.merchant_hours h
                     where h.merchant_id = u.id and h.hour_at >= u.since) is true as is_tallied
        from unnest($3::text[], $4::timestamptz[]) as u (id, since)
       cross join now
        left join market.tallied_merchants m on m.merchant_id = u.id and m.tallied_to = 'infinity'
    ), past as (
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
    select open_from::text as mark, x.merchant_id as "merchantId", x.transaction_id as "transactionId",
           ${epochMs('x.at')} as "createdAtMs", x.account_id as "accountId", x.currency, x.count::float8 as count,
           x.amount::text as amount, x.is_settled as "isSettled"
      from now left join lateral (
        select merchant_id, null::uuid as transaction_id, ${hourOf('created_at')} as at, '' as account_id, currency, count(*) as count,
               sum(amount) as amount, (inserted_xid < open_from or inserted_xid >= end_at) as is_settled
          from past group by 1, 3, 5, 8
         union all
        select h.merchant_id, null, h.hour_at, '', h.currency, h.count, h.sum, true
          from fresh join market.merchant_hours h on h.merchant_id = fresh.id and h.hour_at >= fresh.since
         where fresh.is_tallied
         union all
        select t.merchant_id, t.transaction_id, t.created_at, t.account_id, t.currency, 1, t.amount, t.inserted_xid < open_from
          from market.transactions t
         where t.inserted_xid >= $1::xid8 and t.inserted_xid < end_at
           and (t.merchant_id in (select unnest($2::text[]))) is true
      ) x on true`,
};

/**
 * The rows that were stored since `mark` by merchants that are known, and what all rows of the others sum up to since their times,
 * which are beginnings of hours. Every database transaction before the new mark has ended, so that no row of such a transaction can
 * appear any more.
 */
export async function readHours(
  query: Query,
  mark: string,
  known: readonly string[],
  others: readonly { readonly merchantId: string; readonly sinceMs: number }[],
) {
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

const rowsStatement: Statement = {
  name: 'rows-of-merchant-hours',
  text: `
    select p.nth::int, ${pastColumns('t')}
      from unnest($1::text[], $2::timestamptz[]) with ordinality as p (party, hour_at, nth)
      join market.transactions t on t.merchant_id = p.party and t.created_at >= p.hour_at
       and t.created_at < p.hour_at + interval '1 hour'`,
};

/** The rows of hours, each with the number of its hour, from 1 on. */
export async function readHourRows(
  query: Query,
  hours: readonly { readonly merchantId: string; readonly hourMs: number }[],
): Promise<(PastTransaction & { readonly nth: number })[]> {
  return await query(rowsStatement, [
    textArray(hours.map(({ merchantId }) => merchantId)),
    timestampArray(hours.map(({ hourMs }) => hourMs)),
  ]);
}
