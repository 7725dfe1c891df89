/**
 * Activity of one account, merchant or device in the thirty days before a moment, summed exactly from at most
 * ACTIVITY_ROWS_MAX rows, the newest, so that a busy merchant costs a bounded read.
 */
import type { ActiveParty } from '../../../core/domain/transaction.ts';
import { isoTime } from '../../../core/store/partitions/month-slice.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { DAY_MS } from '../../../kit/words/range.ts';

export const ACTIVITY_ROWS_MAX = 100_000;
export const ACTIVITY_WINDOWS_HOURS = [1, 24, 7 * 24, 30 * 24] as const;
const REACH_MS = 30 * DAY_MS;

/** Sums of one window, the longest last, then of each UTC day; `currency` is null in the row of all currencies. */
type ActivityRow = {
  /** Null for a day. */
  readonly hours: number | null;
  /** As 2026-11-20; null for a window. */
  readonly day: string | null;
  readonly currency: string | null;
  readonly transactions: number;
  /** Distinct merchants of an account, distinct accounts of a merchant or device. */
  readonly counterparties: number;
  /** Decimal texts; null in the row of all currencies. */
  readonly sum: string | null;
  readonly max: string | null;
};

const OTHER = { account: 'merchant_id', merchant: 'account_id', device: 'account_id' } as const;

const activityText = (party: ActiveParty) => `with newest as materialized (
    select created_at, amount, currency, ${OTHER[party]} as counterparty
      from market.transactions
     where ${party}_id = $1 and created_at > $2 and created_at <= $3
     order by created_at desc
     limit ${ACTIVITY_ROWS_MAX}
  )
  select hours, null as day, currency, count(*)::int4 as transactions,
         count(distinct counterparty)::int4 as counterparties,
         case when grouping(currency) = 0 then sum(amount)::text end as sum,
         case when grouping(currency) = 0 then max(amount)::text end as max
    from unnest($4::int4[]) as w(hours)
    join newest on created_at > $3::timestamptz - make_interval(hours => hours)
   group by grouping sets ((hours), (hours, currency))
  union all
  select null, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD'), null, count(*)::int4,
         count(distinct counterparty)::int4, null, null
    from newest
   group by 2
   order by hours, day, currency nulls first`;

/** Windows are (at − w, at]; the first day may be cut. */
export async function readActivity(
  database: Pick<Database, 'query'>,
  party: ActiveParty,
  partyId: string,
  atMs: number,
): Promise<ActivityRow[]> {
  return await database.query<ActivityRow>({ text: activityText(party) }, [
    partyId,
    isoTime(atMs - REACH_MS),
    isoTime(atMs),
    [...ACTIVITY_WINDOWS_HOURS],
  ]);
}
