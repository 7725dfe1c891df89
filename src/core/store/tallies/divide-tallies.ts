/**
 * Divides hours of a merchant with more rows than a rebuild may count into parts, from one place in the order
 * (created_at, transaction_id) to the next. A part that has grown too large is counted again and divided.
 */
import { textArray, timestampArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { FIRST_ID } from '../../../kit/words/cursor.ts';

export type Touched = {
  /** Rows before this are in the tallies. */
  readonly to: string;
  /** Null in the single row that says that no hour needs a division. */
  readonly merchantId: string | null;
  readonly hourMs: number;
};

/** Hours, and parts of hours, with too many rows: from a place to the next part or the end of the hour. */
const listCrowded: Statement = {
  name: 'list-crowded-hours',
  text: `
    with touched as (select * from unnest($1::text[], $2::timestamptz[]) u (merchant_id, hour_at)),
    parts as (
      select t.merchant_id, t.hour_at, h.from_at, h.from_id, sum(h.count) as count,
             lead(h.from_at, 1, t.hour_at + interval '1 hour') over w as to_at, lead(h.from_id, 1, '${FIRST_ID}') over w as to_id
        from touched t
        join market.merchant_hour_parts h on h.merchant_id = t.merchant_id
         and h.from_at >= t.hour_at and h.from_at < t.hour_at + interval '1 hour'
       group by t.merchant_id, t.hour_at, h.from_at, h.from_id
      window w as (partition by t.merchant_id, t.hour_at order by h.from_at, h.from_id))
    select merchant_id as "merchantId", from_at as "fromAt", from_id as "fromId", to_at as "toAt", to_id as "toId"
      from parts where count > $3
     union all
    select t.merchant_id, t.hour_at, '${FIRST_ID}', t.hour_at + interval '1 hour', '${FIRST_ID}' from touched t
     where not exists (select from parts p where p.merchant_id = t.merchant_id and p.hour_at = t.hour_at)
       and (select sum(h.count) from market.merchant_hours h
             where h.merchant_id = t.merchant_id and h.hour_at = t.hour_at) > $3`,
};

type Crowded = {
  readonly merchantId: string;
  readonly fromAt: Date;
  readonly fromId: string;
  readonly toAt: Date;
  readonly toId: string;
};

const dropPart: Statement = {
  name: 'drop-crowded-part',
  text: `delete from market.merchant_hour_parts
          where merchant_id = $1 and from_at >= $2 and from_at <= $4
            and (from_at, from_id) >= ($2, $3::uuid) and (from_at, from_id) < ($4, $5::uuid)`,
};

const dividePart: Statement = {
  name: 'divide-crowded-part',
  text: `
    insert into market.merchant_hour_parts (merchant_id, from_at, from_id, currency, count, sum)
    select $1, from_at, from_id, currency, count(*), sum(amount)
      from (select currency, amount,
                   case when part = 0 then $2 else first_value(created_at) over w end as from_at,
                   case when part = 0 then $3::uuid else first_value(transaction_id) over w end as from_id
              from (select t.created_at, t.transaction_id, t.currency, t.amount,
                           (row_number() over (order by t.created_at, t.transaction_id) - 1) / $7::int as part
                      from market.transactions t
                     where t.merchant_id = $1 and t.created_at >= $2 and t.created_at <= $4
                       and t.created_at <= least($4, (select tallied_to from market.tallied_merchants where merchant_id = $1))
                       and (t.created_at, t.transaction_id) >= ($2, $3::uuid)
                       and (t.created_at, t.transaction_id) < ($4, $5::uuid)
                       and (t.inserted_xid < $6::xid8) is true) numbered
            window w as (partition by part order by created_at, transaction_id)) placed
     group by 2, 3, 4`,
};

/**
 * Divides parts that have grown too large into parts of three quarters of the bound, so that a growing part is
 * counted seldom.
 */
export async function divideCrowded(
  query: Query,
  touched: readonly Touched[],
  foldedTo: string,
  partRowsMax: number,
): Promise<void> {
  const hours = touched.flatMap(({ merchantId, hourMs }) =>
    merchantId === null ? [] : [{ merchantId, hourMs }],
  );
  if (hours.length === 0) return;
  const crowded = await query<Crowded>(listCrowded, [
    textArray(hours.map(({ merchantId }) => merchantId)),
    timestampArray(hours.map(({ hourMs }) => hourMs)),
    partRowsMax,
  ]);
  const partRows = Math.ceil((partRowsMax * 3) / 4);
  for (const { merchantId, fromAt, fromId, toAt, toId } of crowded) {
    const range = [merchantId, fromAt, fromId, toAt, toId];
    await query(dropPart, range);
    await query(dividePart, [...range, foldedTo, partRows]);
  }
}
