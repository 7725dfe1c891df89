/**
 * Keeps the durable tallies of merchants, apart from ingest, which stores rows and knows nothing of them. Rows are
 * taken in by the database transaction that stored them: `folded_to` never passes one that is still open, so no row can
 * appear before it any more, however late its commit and whatever its created_at. A step adds the rows between two such
 * points and moves the checkpoint in one database transaction: after a crash it either happened or did not.
 *
 * Only merchants with many rows are tallied. One that is adopted has its older rows added a chunk at a time; until then
 * a rebuild counts those that are still missing (merchant-tallies.ts).
 */
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { epochMs } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { createdFrom } from '../late-rows.ts';
import { FIRST_MS } from '../within-months.ts';
import { divideCrowded, type Touched } from './divide-tallies.ts';
import { COUNTED_ROWS_MAX, hourOf } from './merchant-tallies.ts';

type TallyBounds = {
  /** A merchant with more rows than this within `reachDays` is adopted. */
  readonly countedRowsMax: number;
  /** A part of an hour, or an hour without parts, with more rows than this is divided. */
  readonly partRowsMax: number;
  /** Rows of one step. The rows of one database transaction are never divided, so a step may have more. */
  readonly stepRows: number;
};

export const TALLY_BOUNDS: TallyBounds = {
  countedRowsMax: COUNTED_ROWS_MAX,
  partRowsMax: 4096,
  stepRows: 20_000,
};

/**
 * Most currencies of one merchant in one hour: with more, an hour may exceed a part's bound before it is
 * divided.
 */
const CURRENCIES = 16;
/** No bound: the rows of one database transaction are folded as one. */
const ROWS_MAX = 2 ** 31 - 2;
/** Rows per step whose merchants are examined for adoption. */
const SAMPLED_ROWS = 4;
/** Time of which one step fills older rows: it locks the months of so long. */
const FILLED_MS = 1461 * DAY_MS;

type TallyStep = {
  /** True when more rows wait than a step takes. */
  readonly isBehind: boolean;
};

const lockCheckpoint: Statement = {
  name: 'lock-tally-checkpoint',
  text: 'select from market.tally_checkpoint for update',
};

/** A separate statement: a statement that waited for the lock has a snapshot from before. */
const readCheckpoint: Statement = {
  name: 'read-tally-checkpoint',
  text: `select folded_to::text as "foldedTo", pg_snapshot_xmin(pg_current_snapshot())::text as "openFrom",
                folded_to > pg_snapshot_xmax(pg_current_snapshot()) as "isForeign",
                exists (select from market.tallied_merchants) as "hasMerchants",
                ${createdFrom('tally_checkpoint.folded_to')}::text as "createdFrom"
           from market.tally_checkpoint`,
};

type Checkpoint = {
  readonly foldedTo: string;
  /** Every database transaction before this has ended. */
  readonly openFrom: string;
  readonly isForeign: boolean;
  readonly hasMerchants: boolean;
  /** No row that the tallies lack was created before, as Postgres writes it. */
  readonly createdFrom: string;
};

const moveCheckpoint: Statement = {
  name: 'move-tally-checkpoint',
  text: 'update market.tally_checkpoint set folded_to = $1::xid8',
};

/**
 * Adds the rows of `fresh` to the hours, and to the parts of those that have any; returns the hours that may
 * have too many: more than $4 rows, unless they are of more than CURRENCIES currencies.
 */
const addRows = (fresh: string) => `
  ${fresh}, hours as (
    insert into market.merchant_hours (merchant_id, hour_at, currency, count, sum)
    select merchant_id, ${hourOf('created_at')}, currency, count(*), sum(amount) from fresh group by 1, 2, 3
    on conflict (merchant_id, hour_at, currency) do update
       set count = merchant_hours.count + excluded.count, sum = merchant_hours.sum + excluded.sum
    returning merchant_id, hour_at, count
  ), touched as materialized (
    select merchant_id, hour_at, max(count) as count from hours group by 1, 2
  ), known as (
    select h.merchant_id, t.hour_at, h.from_at, h.from_id,
           row_number() over (partition by h.merchant_id, t.hour_at order by h.from_at, h.from_id) as nth
      from touched t
      join market.merchant_hour_parts h on h.merchant_id = t.merchant_id
       and h.from_at >= t.hour_at and h.from_at < t.hour_at + interval '1 hour'
     group by h.merchant_id, t.hour_at, h.from_at, h.from_id
  ), placed as (
    select merchant_id, hour_at, currency, amount,
           count(*) filter (where currency is null)
             over (partition by merchant_id, hour_at order by at, id, currency nulls first) as nth
      from (select merchant_id, hour_at, from_at as at, from_id as id, null as currency, null as amount from known
             union all
            select f.merchant_id, d.hour_at, f.created_at, f.transaction_id, f.currency, f.amount
              from (select distinct merchant_id, hour_at from known) d
              join fresh f on f.merchant_id = d.merchant_id and ${hourOf('f.created_at')} = d.hour_at) both_kinds
  ), parts as (
    insert into market.merchant_hour_parts (merchant_id, from_at, from_id, currency, count, sum)
    select k.merchant_id, k.from_at, k.from_id, p.currency, p.count, p.sum
      from (select merchant_id, hour_at, nth, currency, count(*) as count, sum(amount) as sum
              from placed where currency is not null group by 1, 2, 3, 4 offset 0) p
      join known k using (merchant_id, hour_at, nth)
    on conflict (merchant_id, from_at, from_id, currency) do update
       set count = merchant_hour_parts.count + excluded.count, sum = merchant_hour_parts.sum + excluded.sum
  )
  select "to"::text, merchant_id as "merchantId", extract(epoch from hour_at)::float8 * 1000 as "hourMs"
    from bound left join touched on count > $4::int / ${CURRENCIES}`;

/** A step ends before the database transaction that would exceed its bound; `to` is its end. */
const foldRows: Statement = {
  name: 'fold-tallies',
  text: addRows(`
    with stored as materialized (
      select merchant_id, created_at, transaction_id, currency, amount, inserted_xid
        from market.transactions
       where inserted_xid >= $1::xid8 and inserted_xid < $2::xid8 and created_at >= $5::timestamptz
       order by inserted_xid limit $3::int + 1
    ), bound as (
      select case when (select count(*) from stored) <= $3::int then $2::xid8
                  else (select inserted_xid from stored order by inserted_xid desc limit 1) end as "to"
    ), fresh as materialized (
      select t.merchant_id, t.created_at, t.transaction_id, t.currency, t.amount
        from stored t join market.tallied_merchants m on m.merchant_id = t.merchant_id
       where t.inserted_xid < (select "to" from bound) and t.created_at <= m.tallied_to)`),
};

/** Rows of one time stay together, so that a time is enough to say how far an adopted merchant is tallied. */
const fillChunk: Statement = {
  name: 'fill-tallies',
  text: addRows(`
    with bound as (select $2::xid8 as "to"), chunk as materialized (
      select t.* from (select merchant_id, tallied_to, row_number() over () as nth from market.tallied_merchants
                        where merchant_id = $1) m
       cross join lateral (
         select t.merchant_id, t.created_at, t.transaction_id, t.currency, t.amount, t.inserted_xid
           from market.transactions t
          where t.merchant_id = m.merchant_id and t.created_at > $5::timestamptz and t.created_at <= $6::timestamptz
          order by t.created_at fetch first ($3 + 0 * m.nth) rows with ties) t
    ), moved as (
      update market.tallied_merchants
         set tallied_to = (select case when count(*) < $3 then $6::timestamptz else max(created_at) end from chunk)
       where merchant_id = $1
    ), fresh as materialized (
      select * from chunk where (inserted_xid < $2::xid8) is true)`),
};

const nextToFill: Statement = {
  name: 'next-merchant-to-fill',
  text: `select merchant_id as "merchantId", greatest(0, ${epochMs('tallied_to')}) as "talliedToMs"
           from market.tallied_merchants where tallied_to < 'infinity' limit 1`,
};

const adoptBusy: Statement = {
  name: 'adopt-busy-merchants',
  text: `
    insert into market.tallied_merchants (merchant_id)
    select merchant_id
      from (select distinct merchant_id
              from (select merchant_id from market.transactions
                     where inserted_xid >= $1::xid8 and created_at >= $2 order by inserted_xid limit ${SAMPLED_ROWS}) sampled) s
     where not exists (select from market.tallied_merchants m where m.merchant_id = s.merchant_id)
       and exists (select from market.transactions t
                    where t.merchant_id = s.merchant_id and t.created_at >= $2
                    order by t.created_at offset $3 limit 1)
    on conflict do nothing`,
};

export type Tallies = {
  /** Adds the rows stored since the last step, up to a bound. */
  readonly fold: () => Promise<TallyStep>;
  /** Adds a chunk of an adopted merchant's older rows; false when no merchant lacks any. */
  readonly fill: () => Promise<boolean>;
  /** Adopts merchants with many rows, among those of a few rows stored since the last call. */
  readonly adopt: (sinceMs: number) => Promise<void>;
};

/** @param random in [0, 1): which of the rows are looked at for adoption */
export function createTallies(
  database: Pick<Database, 'query' | 'transaction'>,
  random: () => number,
  bounds: TallyBounds = TALLY_BOUNDS,
): Tallies {
  let sampledTo: bigint | null = null;
  return {
    fold: () =>
      database.transaction(async (query) => {
        const checkpoint = await lock(query);
        const { foldedTo, openFrom, hasMerchants } = checkpoint;
        const to = hasMerchants ? await foldStored(query, checkpoint, bounds) : openFrom;
        if (to !== foldedTo) await query(moveCheckpoint, [to]);
        return { isBehind: to !== openFrom };
      }),
    fill: async () => {
      // Nearly always there is none, and the proof of the lead takes four statements.
      if ((await database.query(nextToFill)).length === 0) return false;
      return await database.transaction(async (query) => {
        const { foldedTo } = await lock(query);
        const [next] = await query<{ merchantId: string; talliedToMs: number }>(nextToFill);
        if (next === undefined) return false;
        const { stepRows, partRowsMax } = bounds;
        const fromMs = Math.max(next.talliedToMs, FIRST_MS - 1);
        const toMs = fromMs + FILLED_MS;
        const filled = [new Date(fromMs), toMs > Date.now() ? 'infinity' : new Date(toMs)];
        const values = [next.merchantId, foldedTo, stepRows, partRowsMax, ...filled];
        await divideCrowded(query, await query<Touched>(fillChunk, values), foldedTo, partRowsMax);
        return true;
      });
    },
    adopt: async (sinceMs) => {
      const [{ to } = { to: '0' }] = await database.query<{ to: string }>(newestXid);
      const end = BigInt(to);
      const from = sampledTo ?? end;
      sampledTo = end;
      if (end <= from) return;
      const at = from + BigInt(Math.floor(random() * Number(end - from)));
      await database.query(adoptBusy, [String(at), new Date(sinceMs), bounds.countedRowsMax]);
    },
  };
}

const newestXid: Statement = {
  name: 'newest-transaction-of-database',
  text: 'select pg_snapshot_xmax(pg_current_snapshot())::text as "to"',
};

async function lock(query: Query): Promise<Checkpoint> {
  await query(lockCheckpoint);
  const [checkpoint] = await query<Checkpoint>(readCheckpoint);
  if (checkpoint === undefined) throw new Error('tally_checkpoint has lost its row');
  if (checkpoint.isForeign) {
    throw new Failure(
      'permanent',
      'TALLIES_FOREIGN',
      'the tallies come from another cluster: see "From a dump" in docs/backup.md',
    );
  }
  return checkpoint;
}

/** Takes all rows of one database transaction where these alone are more than a step. */
async function foldStored(
  query: Query,
  { foldedTo: from, openFrom, createdFrom }: Checkpoint,
  bounds: TallyBounds,
): Promise<string> {
  const fold = async (rowsMax: number, end: string) => {
    const values = [from, end, rowsMax, bounds.partRowsMax, createdFrom];
    const touched = await query<Touched>(foldRows, values);
    const to = touched[0]?.to ?? end;
    await divideCrowded(query, touched, to, bounds.partRowsMax);
    return to;
  };
  const to = await fold(bounds.stepRows, openFrom);
  return to === from && to !== openFrom ? await fold(ROWS_MAX, String(BigInt(from) + 1n)) : to;
}
