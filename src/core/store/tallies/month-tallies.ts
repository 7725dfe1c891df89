/**
 * Durable tallies count attached rows: those of a month go with it, and are counted again when it comes back.
 * Rows that were stored just before it went, and merchants tallied meanwhile, are then counted as well.
 */
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { type Month, monthStartMs } from '../../../kit/words/month.ts';
import { divideCrowded, type Touched } from './divide-tallies.ts';
import { TALLY_BOUNDS } from './fold-tallies.ts';
import { hourOf } from './merchant-tallies.ts';

/** The tallies make no step meanwhile, which would add rows to hours that are being deleted or counted. */
const lockTallies: Statement = {
  name: 'lock-tallies-of-month',
  text: 'select folded_to::text as "foldedTo" from market.tally_checkpoint for update',
};
const deleteHours: Statement = {
  name: 'delete-hours-of-month',
  text: 'delete from market.merchant_hours where hour_at >= $1 and hour_at < $2',
};
const deleteParts: Statement = {
  name: 'delete-parts-of-month',
  text: 'delete from market.merchant_hour_parts where from_at >= $1 and from_at < $2',
};
const countHours: Statement = {
  name: 'count-hours-of-month',
  text: `
    with hours as (
      insert into market.merchant_hours (merchant_id, hour_at, currency, count, sum)
      select t.merchant_id, ${hourOf('t.created_at')}, t.currency, count(*), sum(t.amount)
        from market.transactions t join market.tallied_merchants m on m.merchant_id = t.merchant_id
       where t.created_at >= $1 and t.created_at < $2 and t.created_at <= m.tallied_to
         and (t.inserted_xid < $3::xid8) is true
       group by 1, 2, 3
      returning merchant_id, hour_at, count
    )
    select $3::text as "to", merchant_id as "merchantId", extract(epoch from hour_at)::float8 * 1000 as "hourMs"
      from hours group by merchant_id, hour_at having sum(count) > $4::int`,
};

const rangeOf = (month: Month) => [
  new Date(monthStartMs(month)),
  new Date(monthStartMs(month + 1)),
];

/** @param query of an open database transaction */
export async function deleteMonthTallies(query: Query, month: Month): Promise<void> {
  await query(lockTallies);
  await query(deleteHours, rangeOf(month));
  await query(deleteParts, rangeOf(month));
}

/** @param query of the database transaction that attaches the month */
export async function countMonthTallies(query: Query, month: Month): Promise<void> {
  const [checkpoint] = await query<{ foldedTo: string }>(lockTallies);
  if (checkpoint === undefined) throw new Error('tally_checkpoint has lost its row');
  const { foldedTo } = checkpoint;
  const { partRowsMax } = TALLY_BOUNDS;
  const touched = await query<Touched>(countHours, [...rangeOf(month), foldedTo, partRowsMax]);
  await divideCrowded(query, touched, foldedTo, partRowsMax);
}
