/**
 * Counts amounts by corridor, day and size, and at midnight derives the percentile with which transactions of the new day are
 * compared. Declined amounts do not count: a few large frauds would lift the percentile above the frauds that follow.
 */
import { int4Array } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';
import { lowestIdAt } from '../../../kit/words/cursor.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import {
  type CorridorAmount,
  type CorridorAmountRows,
  type DayRate,
  FRESH_DAYS,
} from '../../domain/corridor.ts';

/** Days whose amounts make the percentile of the next day. Fewer days leave small corridors without a percentile. */
const AMOUNT_DAYS = 90;
/** Least amounts of a percentile: of fewer than 10,000, less than one lies above the 99.99th. */
export const AMOUNTS_MIN = 10_000;
/** Span of `created_at` that one statement counts, at 2 µs a transaction. Longer spans near the statement timeout at 10,000 a second. */
export const SLICE_MS = 180_000;
/** Age at which a slice is counted. Younger: transactions without a score are missed; older: percentiles are written later. */
export const SETTLED_MS = 600_000;

const lockCheckpoint = onlyOf<{ countedToMs: number }>(
  'lock-amount-checkpoint',
  `select extract(epoch from counted_to)::float8 * 1000 as "countedToMs" from market.amount_checkpoint for update`,
);

const countStatement: Statement = {
  name: 'count-amounts',
  text: `
    insert into market.amount_counts as a (day, corridor, currency, bucket, count)
    select (t.created_at at time zone 'UTC')::date, t.corridor, t.currency, ceil(100 * log(t.amount::float8))::smallint, count(*)
      from market.transactions t
      join market.scores s on s.transaction_id = t.transaction_id and s.created_at = t.created_at
     where t.transaction_id >= $1::uuid and t.transaction_id < $2::uuid
       and t.created_at >= $3::timestamptz and t.created_at < $4::timestamptz
       and s.transaction_id >= $1::uuid and s.transaction_id < $2::uuid
       and s.created_at >= $3::timestamptz and s.created_at < $4::timestamptz
       and s.verdict <> 'decline'
     group by 1, 2, 3, 4
    on conflict (day, corridor, currency, bucket) do update set count = a.count + excluded.count`,
};

const advanceStatement: Statement = {
  name: 'advance-amount-checkpoint',
  text: 'update market.amount_checkpoint set counted_to = $1::timestamptz',
};

// Each amount counts as the upper bound of its bucket. Amounts without an exchange rate to the market's currency are left out.
const writeStatement: Statement = {
  name: 'write-amount-percentiles',
  text: `
    with market as (
      select policy ->> 'currency' as currency from market.review_policies order by version desc limit 1
    ), rates as (
      select distinct on (currency) currency, usd::float8 from market.exchange_rates
       where day < date '1970-01-01' + $1::int4 order by currency, day desc
    ), dollars as (select * from rates union all select 'USD', 1), valued as (
      select a.corridor, m.currency, a.count,
             power(10, a.bucket / 100.0::float8) * case when a.currency = m.currency then 1 else own.usd / its.usd end as amount
        from market.amount_counts a
       cross join market m
        left join dollars own on own.currency = a.currency
        left join dollars its on its.currency = m.currency
       where a.day < date '1970-01-01' + $1::int4 and a.day >= date '1970-01-01' + $1::int4 - ${AMOUNT_DAYS}
    ), ranked as (
      select corridor, currency, amount, sum(count) over (partition by corridor order by amount) as rank,
             sum(count) over (partition by corridor) as total
        from valued where amount is not null
    )
    insert into market.amount_percentiles (day, corridor, currency, amount, transactions)
    select date '1970-01-01' + $1::int4, corridor, currency, min(amount), total
      from ranked where total >= ${AMOUNTS_MIN} and rank >= 0.9999 * total
     group by corridor, currency, total
    on conflict (day, corridor) do nothing`,
};

const forgetStatement: Statement = {
  name: 'forget-amount-counts',
  text: `delete from market.amount_counts where day < date '1970-01-01' + $1::int4 - ${AMOUNT_DAYS}`,
};

/** Counts the next slice; after the last slice of a day, also writes the percentiles of the next. False when no slice is due. */
export async function countSlice(
  transaction: <T>(work: (query: Query) => Promise<T>) => Promise<T>,
  nowMs: number,
): Promise<boolean> {
  return await transaction(async (query) => {
    const { countedToMs } = await lockCheckpoint(query);
    const oldestMs = (Math.floor(nowMs / DAY_MS) - AMOUNT_DAYS) * DAY_MS;
    const fromMs = Math.max(countedToMs, oldestMs);
    const toMs = Math.floor(fromMs / SLICE_MS) * SLICE_MS + SLICE_MS;
    if (toMs > nowMs - SETTLED_MS) return false;
    const ids = [lowestIdAt(fromMs), lowestIdAt(toMs)];
    await query(countStatement, [...ids, new Date(fromMs), new Date(toMs)]);
    await query(advanceStatement, [new Date(toMs)]);
    if (toMs % DAY_MS === 0) {
      await query(writeStatement, [toMs / DAY_MS]);
      await query(forgetStatement, [toMs / DAY_MS]);
    }
    return true;
  });
}

const readStatement: Statement = {
  name: 'read-amount-percentiles',
  text: `select day - date '1970-01-01' as day, corridor, currency, amount from market.amount_percentiles
          where day = any (array(select date '1970-01-01' + unnest($1::int4[])))`,
};

const readRatesStatement: Statement = {
  name: 'read-day-rates',
  text: `select d.day, c.currency, r.usd::float8 as usd
           from unnest($1::int4[]) d (day)
          cross join (select distinct currency from market.exchange_rates) c
          cross join lateral (
            select usd from market.exchange_rates
             where currency = c.currency and day < date '1970-01-01' + d.day order by day desc limit 1) r`,
};

/** Reads the percentiles and exchange rates with which transactions created on these days are compared. */
export async function readCorridorAmounts(
  query: Query,
  days: Iterable<number>,
): Promise<CorridorAmountRows> {
  const asked = new Set<number>();
  for (const day of days) for (let back = 0; back < FRESH_DAYS; back++) asked.add(day - back);
  const percentiles = await query<CorridorAmount>(readStatement, [int4Array([...asked])]);
  if (percentiles.length === 0) return { percentiles, rates: [] };
  const found = [...new Set(percentiles.map(({ day }) => day))];
  return { percentiles, rates: await query<DayRate>(readRatesStatement, [int4Array(found)]) };
}
