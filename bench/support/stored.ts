/** The rows in Postgres after a run: nothing lost, nothing doubled, and how long each score took. */
import type { Client } from 'pg';

export type Stored = {
  readonly transactions: number;
  readonly scores: number;
  readonly dead_letters: number;
  /** Transactions without score and without dead letter, replayed or not. */
  readonly lost: number;
  /** Score rows beyond one a transaction. */
  readonly doubled: number;
  /** scored_at − received_at, milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
};

const STORED = `
  with latencies as (
    select extract(epoch from s.scored_at - t.received_at) * 1000 as ms
      from transactions t join scores s using (transaction_id, created_at)
  )
  select (select count(*)::int from transactions) as transactions,
         (select count(*)::int from scores) as scores,
         (select count(*)::int from dead_letters where replayed_at is null and purged_at is null) as dead_letters,
         (select count(*)::int from transactions t
           where not exists (select from scores s
                              where s.transaction_id = t.transaction_id and s.created_at = t.created_at)
             and not exists (select from dead_letters d where d.transaction_id = t.transaction_id)) as lost,
         (select count(*)::int - count(distinct transaction_id)::int from scores) as doubled,
         p[1] as p50, p[2] as p95, p[3] as p99, p[4] as max
    from (select percentile_disc(array[0.5, 0.95, 0.99, 1.0]) within group (order by ms)::float8[] as p
            from latencies) of_latencies`;

/** @param statement another one with the same columns, for tables that are not the engine's */
export async function readStored(database: Client, statement = STORED): Promise<Stored> {
  const { rows } = await database.query<Stored>(statement);
  const [stored] = rows;
  if (stored === undefined) throw new Error('one row was expected');
  return stored;
}

/** Breaches of a run that lost or doubled anything. */
export function storedBreaches({ lost, doubled }: Pick<Stored, 'lost' | 'doubled'>): string[] {
  return lost + doubled === 0 ? [] : [`lost ${lost}, doubled ${doubled}`];
}
