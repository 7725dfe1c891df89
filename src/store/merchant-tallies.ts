/** The tallies of merchants: how many rows there are before those that a rebuild lists, by hour and by day. */
import { type MerchantTally, merchantHourlyDays, type Position } from '../domain/history.ts';
import { DAY_MS, dayOf } from '../domain/utc-bucket.ts';
import { textArray, timestampArray, uuidArray } from './binary-array.ts';
import type { Query, Statement } from './pool.ts';

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

type TallyRow = {
  point: number;
  bucket_ms: number;
  daily: boolean;
  currency: string;
  count: number;
  sum: string;
};

/** Rows since `sinceMs` up to the horizon are tallied; without a horizon there are none. */
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
  const rows = await query<TallyRow>(tallyMerchants, [
    textArray(busy.map(({ merchantId }) => merchantId)),
    timestampArray(busy.map(({ sinceMs }) => sinceMs)),
    timestampArray(busy.map(({ horizon }) => horizon.createdAtMs)),
    uuidArray(busy.map(({ horizon }) => horizon.transactionId)),
    timestampArray(busy.map(({ horizon }) => dayOf(horizon.createdAtMs) - hourlyMs)),
  ]);
  for (const { point, bucket_ms: bucketMs, daily, currency, count, sum } of rows) {
    const index = busy[point - 1]?.index ?? -1;
    tallies[index]?.push({ bucketMs, daily, currency, count, sum });
  }
  return tallies;
}
