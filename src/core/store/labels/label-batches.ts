/**
 * Requests whose labels are committed, but whose profiles may not be invalidated yet. They are opened with
 * their labels and deleted once the profiles are invalidated; a worker completes the others.
 */
import { uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';

const open = rowsOf<object, [batchId: string, transactionIds: Buffer]>(
  'open-label-batch',
  `insert into market.label_batches (batch_id, received_at, transaction_ids) values ($1, now(), $2::uuid[])
   on conflict do nothing`,
);

/** @param query of the database transaction that adds the labels */
export const openLabelBatch = (query: Query, batchId: string, transactionIds: readonly string[]) =>
  open(query, batchId, uuidArray(transactionIds));

const deleteById = rowsOf<object, [batchIds: Buffer]>(
  'delete-label-batches',
  'delete from market.label_batches where batch_id = any($1::uuid[])',
);

export const deleteLabelBatches = async (
  { query }: Pick<Database, 'query'>,
  batchIds: readonly string[],
) => void (await deleteById(query, uuidArray(batchIds)));

export type LabelBatch = {
  readonly batchId: string;
  /** By Postgres' clock. */
  readonly ageMs: number;
  readonly transactionIds: readonly string[];
};

/** Lists batches that have reached an age, the oldest first, up to `transactionsMax` transactions together. */
export const listLabelBatches = rowsOf<LabelBatch, [agedMs: number, transactionsMax: number]>(
  'list-label-batches',
  `select batch_id as "batchId", extract(epoch from now() - received_at)::float8 * 1000 as "ageMs",
                transaction_ids as "transactionIds"
           from (select *, sum(cardinality(transaction_ids)) over w - cardinality(transaction_ids) as before
                   from (select * from market.label_batches where received_at < now() - $1::float8 * interval '1 ms'
                          order by received_at, batch_id limit $2) page
                 window w as (order by received_at, batch_id)) counted
          where before < $2
          order by received_at, batch_id`,
);
