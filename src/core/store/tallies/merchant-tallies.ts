/**
 * The tallies of merchants: how many rows there are before those that a rebuild lists, by hour and by day. The
 * rows of a merchant with few are counted; for one with many, the durable tallies are read (fold-tallies.ts)
 * and the rows that they lack are counted: rows that were stored since, and the part of an hour that the
 * horizon cuts.
 */
import { textArray, timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { FIRST_ID } from '../../../kit/words/cursor.ts';
import { DAY_MS, dayOf } from '../../../kit/words/range.ts';
import { type MerchantTally, merchantHourlyDays } from '../../domain/history.ts';
import type { Position } from '../../domain/transaction.ts';
import { ofMonths } from '../within-months.ts';

/** A merchant whose rebuild counts more rows than this is tallied from then on. */
export const COUNTED_ROWS_MAX = 4096;

/** The UTC hour of a column. */
export const hourOf = (column: string) =>
  `date_bin(interval '1 hour', ${column}, timestamptz '1970-01-01T00:00:00Z')`;

/**
 * A single statement, hence one snapshot: a row is either before the checkpoint and in the tallies, or after it and in `tail`;
 * rows up to the horizon come from tallies of whole hours, tallies of the parts before the horizon's own part, and a count of
 * the rest (`cut`). `in (select …) is true` keeps the planner from looking for the tail by merchant, which would read all rows
 * of a merchant; that no row is newer than the snapshot tells the planner that rows of the tail are few.
 */
const tallyMerchants = ofMonths(
  'past-tallies-of-merchants',
  (within) => `
    with tail as materialized (
      select t.merchant_id, t.created_at, t.transaction_id, t.currency, t.amount
        from market.transactions t
       where t.inserted_xid >= (select folded_to from market.tally_checkpoint)
         and t.inserted_xid < pg_snapshot_xmax(pg_current_snapshot())
         and (t.merchant_id in (select unnest($1::text[]))) is true and ${within('t')}
    )
    select p.point::int, c.tallied_to is not null as tallied, extract(epoch from r.bucket)::float8 * 1000 as bucket_ms,
           r.daily, r.currency, r.count, r.sum
      from (select u.*, ${hourOf('at')} as hour_at
              from unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::uuid[], $5::timestamptz[])
                   with ordinality as u (party, since, at, id, hourly_since, point)) p
      left join lateral (
        select m.tallied_to, coalesce(part.from_at, p.hour_at) as from_at, coalesce(part.from_id, '${FIRST_ID}') as from_id
          from market.tallied_merchants m
          join market.tally_checkpoint on folded_to <= pg_snapshot_xmax(pg_current_snapshot())
          left join lateral (
            select h.from_at, h.from_id from market.merchant_hour_parts h
             where h.merchant_id = p.party and h.from_at >= p.hour_at and h.from_at <= p.at
               and (h.from_at, h.from_id) <= (p.at, p.id)
             order by h.from_at desc, h.from_id desc limit 1) part on true
         where m.merchant_id = p.party and m.tallied_to >= p.since) c on true
     cross join lateral (
       select date_bin(case when x.at < p.hourly_since then interval '24 hours' else interval '1 hour' end,
                       x.at, timestamptz '1970-01-01T00:00:00Z') as bucket,
              x.at < p.hourly_since as daily, x.currency, sum(x.count)::float8 as count, sum(x.sum)::text as sum
         from (
           select h.hour_at as at, h.currency, h.count, h.sum from market.merchant_hours h
            where c.tallied_to is not null and h.merchant_id = p.party and h.hour_at >= p.since and h.hour_at < p.hour_at
           union all
           select h.from_at, h.currency, h.count, h.sum from market.merchant_hour_parts h
            where c.tallied_to is not null and h.merchant_id = p.party
              and h.from_at >= p.hour_at and h.from_at <= c.from_at and (h.from_at, h.from_id) < (c.from_at, c.from_id)
           union all
           select t.created_at, t.currency, 1, t.amount from tail t
            where c.tallied_to is not null and t.merchant_id = p.party and t.created_at >= p.since
              and t.created_at <= c.tallied_to and (t.created_at, t.transaction_id) < (c.from_at, c.from_id)
           union all
           select t.created_at, t.currency, 1, t.amount from market.transactions t
            where t.merchant_id = p.party and ${within('t')}
              and t.created_at >= greatest(p.since, least(c.from_at, coalesce(c.tallied_to, p.since)))
              and t.created_at <= p.at and (t.created_at, t.transaction_id) <= (p.at, p.id)
              and (c.tallied_to is null or t.created_at > c.tallied_to
                   or (t.created_at, t.transaction_id) >= (c.from_at, c.from_id))
         ) x
        group by 1, 2, 3
     ) r`,
);

const adoptMerchants: Statement = {
  name: 'adopt-merchants',
  text: 'insert into market.tallied_merchants (merchant_id) select unnest($1::text[]) on conflict do nothing',
};

type TallyRow = {
  point: number;
  /** False where all rows were counted: nothing is tallied yet. */
  tallied: boolean;
  bucket_ms: number;
  daily: boolean;
  currency: string;
  count: number;
  sum: string;
};

/** Rows since `sinceMs`, the beginning of a UTC day, up to the horizon are tallied; without a horizon there are none. */
type TallyPoint = {
  readonly merchantId: string;
  readonly sinceMs: number;
  readonly horizon: Position | null;
};

/** Tallies of each point: hours for the horizon's day and those just before it, days before that, as the fold keeps them. */
export async function loadTallies(
  query: Query,
  points: readonly TallyPoint[],
  maturityDays: number,
): Promise<MerchantTally[][]> {
  const busy = points.flatMap(({ horizon, ...point }, index) =>
    horizon === null ? [] : [{ ...point, horizon, index }],
  );
  const tallies: MerchantTally[][] = points.map(() => []);
  if (busy.length === 0) return tallies;
  const hourlyMs = merchantHourlyDays(maturityDays) * DAY_MS;
  const times = {
    fromMs: Math.min(...busy.map(({ sinceMs }) => sinceMs)),
    toMs: Math.max(...busy.map(({ horizon }) => horizon.createdAtMs)),
  };
  const rows = await query<TallyRow>(tallyMerchants(times), [
    textArray(busy.map(({ merchantId }) => merchantId)),
    timestampArray(busy.map(({ sinceMs }) => sinceMs)),
    timestampArray(busy.map(({ horizon }) => horizon.createdAtMs)),
    uuidArray(busy.map(({ horizon }) => horizon.transactionId)),
    timestampArray(busy.map(({ horizon }) => dayOf(horizon.createdAtMs) - hourlyMs)),
  ]);
  const counted = busy.map(() => 0);
  for (const { point, tallied, bucket_ms: bucketMs, daily, currency, count, sum } of rows) {
    const index = busy[point - 1]?.index ?? -1;
    tallies[index]?.push({ bucketMs, daily, currency, count, sum });
    if (!tallied) counted[point - 1] = (counted[point - 1] ?? 0) + count;
  }
  const crowded = busy.filter((_, at) => (counted[at] ?? 0) > COUNTED_ROWS_MAX);
  if (crowded.length > 0) {
    const merchants = new Set(crowded.map(({ merchantId }) => merchantId));
    await query(adoptMerchants, [textArray([...merchants])]);
  }
  return tallies;
}
