/** Compares the durable tallies of a merchant with the merchant's transactions. */
import { hourOf } from '../../src/core/store/tallies/merchant-tallies.ts';
import type { Query, Statement } from '../../src/kit/database/pool.ts';
import { FIRST_ID } from '../../src/kit/words/cursor.ts';

/** Hours that are not divided count as one part. One statement, hence one snapshot of rows, tallies and checkpoint. */
const recount: Statement = {
  name: 'recount-tallies',
  text: `
    with parts as (
      select from_at, from_id, currency, count, sum, ${hourOf('from_at')} as hour_at
        from market.merchant_hour_parts where merchant_id = $1
    ), places as (
      select from_at, from_id, hour_at, row_number() over (partition by hour_at order by from_at, from_id) as nth
        from (select from_at, from_id, hour_at from parts
               union
              select h.hour_at, '${FIRST_ID}'::uuid, h.hour_at from market.merchant_hours h
               where h.merchant_id = $1) p
    ), rows as (
      select t.created_at, t.transaction_id, t.currency, t.amount, ${hourOf('t.created_at')} as hour_at
        from market.transactions t, market.tallied_merchants m, market.tally_checkpoint c
       where t.merchant_id = $1 and m.merchant_id = $1 and t.created_at <= m.tallied_to
         and (t.inserted_xid < c.folded_to) is true
    ), placed as (
      select hour_at, currency, amount,
             count(*) filter (where currency is null)
               over (partition by hour_at order by created_at, transaction_id, currency nulls first) as nth
        from (select hour_at, from_at as created_at, from_id as transaction_id, null as currency, null as amount from places
               union all
              select hour_at, created_at, transaction_id, currency, amount from rows) both_kinds
    ), counted as (
      select p.from_at, p.from_id, c.currency, c.count, c.sum
        from (select hour_at, nth, currency, count(*)::float8 as count, sum(amount) as sum
                from placed where currency is not null group by 1, 2, 3) c
        left join places p using (hour_at, nth)
    ), tallied as (
      select from_at, from_id, currency, count::float8, sum from parts
       union all
      select hour_at, '${FIRST_ID}', currency, count, sum from market.merchant_hours h
       where merchant_id = $1 and not exists (select from parts where parts.hour_at = h.hour_at)
    ), hours as (
      select hour_at, currency, count(*)::float8 as count, sum(amount) as sum from rows group by 1, 2
    )
    select count(*) filter (where not same)::int as different, count(*)::int as tallies,
           coalesce(sum(counted), 0)::float8 as transactions
      from (select (c.count, c.sum) is not distinct from (t.count, t.sum) as same, 0 as counted
              from counted c full join tallied t using (from_at, from_id, currency)
             union all
            select (c.count, c.sum) is not distinct from (t.count::float8, t.sum), c.count
              from hours c full join (select * from market.merchant_hours where merchant_id = $1) t using (hour_at, currency)) compared`,
};

type TallyRecount = {
  /** Hours and parts of hours that differ from their transactions, by currency. */
  readonly different: number;
  readonly tallies: number;
  readonly transactions: number;
};

/** Reads all transactions of the merchant. */
export async function recountTallies(query: Query, merchantId: string): Promise<TallyRecount> {
  const [row] = await query<TallyRecount>(recount, [merchantId]);
  if (row === undefined) throw new Error('a count without a row');
  return row;
}
