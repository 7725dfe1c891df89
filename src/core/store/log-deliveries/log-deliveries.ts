/**
 * Deliveries of the logs of a corridor that has both: a row an entry, found by the SHA-256 of its bytes. Workers write the row
 * before they settle the entry, so an entry that is gone from its log was written down.
 */
import {
  byteaArray,
  int2Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';
import type { Compared } from '../../domain/corridor.ts';
import { bounds } from '../open-rows/open-rows.ts';

export type LogDelivery = {
  readonly corridor: string;
  readonly digest: Buffer;
  readonly receivedAtMs: number;
  readonly transactionIds: readonly string[];
  /** Shard of the stream or partition of the topic. */
  readonly shard: number;
};

const noteStatement = (column: 'streams_shard' | 'kafka_partition') => ({
  name: `note-${column}`,
  text: `insert into market.log_deliveries as old (corridor, digest, received_at, transaction_ids, ${column})
         select corridor, digest, received_at, ($4::uuid[])[starting:ending], shard
           from (select unnest($1::text[]) as corridor, unnest($2::bytea[]) as digest, unnest($3::timestamptz[]) as received_at,
                        unnest($5::int4[]) as starting, unnest($6::int4[]) as ending, unnest($7::smallint[]) as shard) noted
          order by corridor, digest
         on conflict (corridor, digest) do update set ${column} = excluded.${column}
          where old.${column} is null`,
});
const NOTE = {
  streams: noteStatement('streams_shard'),
  kafka: noteStatement('kafka_partition'),
} as const;

/** Notes entries that a log has delivered, however often. */
export async function noteDeliveries(
  query: Query,
  log: keyof typeof NOTE,
  deliveries: readonly LogDelivery[],
): Promise<void> {
  // An entry that a log holds twice is one row: a statement cannot change a row twice.
  const once = [
    ...new Map(
      deliveries.map((delivery) => [
        `${delivery.corridor} ${delivery.digest.toString('hex')}`,
        delivery,
      ]),
    ).values(),
  ];
  if (once.length === 0) return;
  await query(NOTE[log], [
    textArray(once.map(({ corridor }) => corridor)),
    byteaArray(once.map(({ digest }) => digest)),
    timestampArray(once.map(({ receivedAtMs }) => receivedAtMs)),
    uuidArray(once.flatMap(({ transactionIds }) => transactionIds)),
    ...bounds(once.map(({ transactionIds }) => transactionIds.length)),
    int2Array(once.map(({ shard }) => shard)),
  ]);
}

/** Transactions by how the logs delivered them. */
export type Comparison = {
  /** In entries of equal bytes from both. */
  readonly equal: number;
  readonly missing_in_streams: number;
  readonly missing_in_kafka: number;
  /** From both, in no entry of equal bytes. */
  readonly differing: number;
  /** In another partition of the topic than the shard of the stream. */
  readonly elsewhere: number;
};

const compareStatement = onlyOf<Comparison, [corridor: string, from: Date, to: Date | null]>(
  'compare-logs',
  `with noted as materialized (
     select transaction_ids, streams_shard, kafka_partition,
            streams_shard is not null and kafka_partition is not null as is_equal
       from market.log_deliveries
      where corridor = $1 and received_at >= $2 and ($3::timestamptz is null or received_at <= $3)
   ), lone as materialized (
     select id, bool_or(streams_shard is not null) as in_streams, bool_or(kafka_partition is not null) as in_kafka
       from noted, unnest(transaction_ids) as id where not is_equal group by id
   ), odd as (
     select in_streams, in_kafka from lone
      where (select count(*) from lone) > 0
        and id not in (select id from noted, unnest(transaction_ids) as id where is_equal)
   )
   select (select coalesce(sum(cardinality(transaction_ids)), 0)::int4 from noted where is_equal) as equal,
          (select count(*)::int4 from odd where not in_streams) as missing_in_streams,
          (select count(*)::int4 from odd where not in_kafka) as missing_in_kafka,
          (select count(*)::int4 from odd where in_streams and in_kafka) as differing,
          (select coalesce(sum(cardinality(transaction_ids)), 0)::int4 from noted
            where is_equal and streams_shard <> kafka_partition) as elsewhere`,
);

/** Compares transactions that were received in a time. An entry that only one log has delivered yet counts as missing in the other. */
export const compareLogs = (query: Query, corridor: string, { fromMs, toMs }: Compared) =>
  compareStatement(query, corridor, new Date(fromMs), toMs === null ? null : new Date(toMs));
