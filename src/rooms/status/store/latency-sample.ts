/**
 * Latency from receipt to score of the transactions that were scored last. Scores are only ever appended to the table of their
 * month, so the newest are in the last blocks of three tables, and no index on the time of scoring is needed.
 */

import { partitionName } from '../../../core/store/partitions/partitions.ts';
import type { Database, Statement } from '../../../kit/database/pool.ts';
import { monthOf } from '../../../kit/words/month.ts';

/** Scores of a sample, of all corridors together. */
export const LATENCY_SAMPLE_MAX = 1000;
/** Blocks read from the end of a table, 1 MiB. Fewer: less than a sample of usual rows; more: reads that no sample needs. */
const TAIL_BLOCKS = 128;
/** Transactions of older months are in no sample. Longer: a sample reads more than three tables. */
export const LATENCY_REACH_MS = 31 * 86_400_000;

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

const sizesStatement: Statement = {
  name: 'latency-table-sizes',
  text: `
    select name, (pg_relation_size(to_regclass('market.' || name)) / current_setting('block_size')::int8)::int4 as blocks
      from unnest($1::text[]) as name where to_regclass('market.' || name) is not null`,
};

type Size = { readonly name: string; readonly blocks: number };

// Postgres' clock stamps the receipt and the worker's clock the score, so clocks that differ can give less than 0.
const readLatenciesText = (tables: readonly Size[]) => `
    with newest as materialized (
      select * from (${tables
        .map(
          ({ name }, nth) =>
            `select transaction_id, created_at, corridor, scored_at from market.${name} where ctid >= $${nth + 2}::tid`,
        )
        .join(' union all ')}) as tails
       order by scored_at desc limit $1::int4
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
      from sample group by rollup (corridor) having count(*) > 0`;

export async function readLatencies(
  database: Pick<Database, 'query'>,
  nowMs: number,
): Promise<Latencies> {
  const [from, to] = [monthOf(nowMs - LATENCY_REACH_MS), monthOf(nowMs)];
  const names = Array.from({ length: to - from + 1 }, (_, nth) =>
    partitionName('scores', from + nth),
  );
  const tables = await database.query<Size>(sizesStatement, [names]);
  const byCorridor = new Map<string, Latency>();
  if (tables.length === 0) return { all: undefined, byCorridor };
  const tails = tables.map(({ blocks }) => `(${Math.max(0, blocks - TAIL_BLOCKS)},0)`);
  const rows = await database.query<Latency & { readonly corridor: string | null }>(
    { text: readLatenciesText(tables) },
    [LATENCY_SAMPLE_MAX, ...tails],
  );
  for (const { corridor, ...latency } of rows)
    if (corridor !== null) byCorridor.set(corridor, latency);
  return { all: rows.find(({ corridor }) => corridor === null), byCorridor };
}
