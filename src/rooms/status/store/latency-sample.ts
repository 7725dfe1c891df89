/** Latency from receipt to score of the transactions that were scored last. */
import {
  findTails,
  startOfTails,
  type Tail,
  tailRows,
} from '../../../core/store/partitions/tails.ts';
import type { Database } from '../../../kit/database/pool.ts';

/** Scores of a sample, of all corridors together. */
export const LATENCY_SAMPLE_MAX = 1000;
/** Blocks read from the end of a table, 1 MiB. Fewer: less than a sample of usual rows; more: reads that no sample needs. */
const TAIL_BLOCKS = 128;

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

// Postgres' clock stamps the receipt and the worker's clock the score, so clocks that differ can give less than 0.
const readLatenciesText = (tables: readonly Tail[], nowMs: number) => `
    with newest as materialized (
      select * from (${tailRows('scores', tables, 'transaction_id, created_at, corridor, scored_at', 2)}) as tails
       order by scored_at desc limit $1::int4
    ), sample as (
      select n.corridor, n.scored_at,
             greatest(0, extract(epoch from n.scored_at - t.received_at) * 1000)::float8 as ms
        from newest n
       cross join lateral (
        select received_at from market.transactions
         where transaction_id = n.transaction_id and created_at = n.created_at and created_at >= ${startOfTails(nowMs)} limit 1) t
    )
    select corridor, percentile_disc(0.5) within group (order by ms) as "p50Ms",
           percentile_disc(0.95) within group (order by ms) as "p95Ms",
           count(*)::int4 as transactions, max(scored_at) as "newestAt"
      from sample group by rollup (corridor) having count(*) > 0`;

export async function readLatencies(
  database: Pick<Database, 'query'>,
  nowMs: number,
): Promise<Latencies> {
  const tables = await findTails(database, 'scores', nowMs, TAIL_BLOCKS);
  const byCorridor = new Map<string, Latency>();
  const rows = await database.query<Latency & { readonly corridor: string | null }>(
    { text: readLatenciesText(tables, nowMs) },
    [LATENCY_SAMPLE_MAX, ...tables.map(({ from }) => from)],
  );
  for (const { corridor, ...latency } of rows)
    if (corridor !== null) byCorridor.set(corridor, latency);
  return { all: rows.find(({ corridor }) => corridor === null), byCorridor };
}
