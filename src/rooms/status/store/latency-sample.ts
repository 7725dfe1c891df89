/**
 * How long transactions took from receipt to score, of a bounded sample: the newest scores by created_at, as the primary key finds
 * them. Two rows are read for each, whatever the traffic and the number of rows.
 */

import { isoTime } from '../../../core/store/partitions/month-slice.ts';
import type { Database, Statement } from '../../../kit/database/pool.ts';
import { lowestIdAt } from '../../../kit/words/cursor.ts';

/** Scores of a sample, of all corridors together. */
export const LATENCY_SAMPLE_MAX = 1000;
/** Older scores are in no sample, so that it touches three months at most. */
const REACH_MS = 31 * 86_400_000;

export type Latency = {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly transactions: number;
  /** When the newest of the sample was scored. */
  readonly newestAt: Date;
};

export type Latencies = {
  /** Undefined: the sample is empty. */
  readonly all: Latency | undefined;
  /** Corridors that have a score in the sample. */
  readonly byCorridor: ReadonlyMap<string, Latency>;
};

// Receipt is a time of Postgres' clock and the score one of the worker's: a difference below 0 is one of the clocks.
const readLatenciesStatement: Statement = {
  name: 'read-latencies',
  text: `
    with newest as materialized (
      select transaction_id, created_at, corridor, scored_at
        from market.scores
       where transaction_id >= $1::uuid and transaction_id < $2::uuid and created_at >= $3 and created_at <= $4
       order by transaction_id desc limit $5::int4
    ), sample as (
      select n.corridor, n.scored_at,
             greatest(0, extract(epoch from n.scored_at - t.received_at) * 1000)::float8 as ms
        from newest n
       cross join lateral (
        select received_at from market.transactions
         where transaction_id = n.transaction_id and created_at = n.created_at limit 1) t
    )
    select corridor, percentile_disc(0.5) within group (order by ms) as "p50Ms",
           percentile_disc(0.95) within group (order by ms) as "p95Ms",
           count(*)::int4 as transactions, max(scored_at) as "newestAt"
      from sample group by rollup (corridor) having count(*) > 0`,
};

/** @param nowMs  later scores, whose created_at is ahead, are in no sample */
export async function readLatencies(
  database: Pick<Database, 'query'>,
  nowMs: number,
): Promise<Latencies> {
  const rows = await database.query<Latency & { readonly corridor: string | null }>(
    readLatenciesStatement,
    [
      lowestIdAt(nowMs - REACH_MS),
      lowestIdAt(nowMs + 1),
      isoTime(nowMs - REACH_MS),
      isoTime(nowMs),
      LATENCY_SAMPLE_MAX,
    ],
  );
  const byCorridor = new Map<string, Latency>();
  for (const { corridor, ...latency } of rows)
    if (corridor !== null) byCorridor.set(corridor, latency);
  return { all: rows.find(({ corridor }) => corridor === null), byCorridor };
}
