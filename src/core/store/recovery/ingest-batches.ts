/**
 * Batches that are committed but not yet known to be in a stream. They are opened with their transactions and
 * deleted once appended; the reconciler finishes the others.
 */
import { uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import type { BatchPosition, OpenBatch } from '../../domain/open-batch.ts';

/** Who closes or narrows a batch. A request does so only until a recovery has taken its batch over. */
type BatchUser = 'request' | 'reconciler';

const deleteStatement = {
  name: 'delete-ingest-batches',
  text: 'delete from market.ingest_batches where batch_id = any($1::uuid[]) and (not taken_over or $2)',
};

export async function deleteIngestBatches(
  database: Pick<Database, 'query'>,
  batchIds: readonly string[],
  by: BatchUser,
): Promise<void> {
  await database.query(deleteStatement, [uuidArray(batchIds), by === 'reconciler']);
}

const takeOverStatement = {
  name: 'take-over-ingest-batches',
  text: `with taken as (
           update market.ingest_batches set taken_over = true where batch_id = any($1::uuid[]) and not taken_over
           returning batch_id, received_at, transaction_ids)
         select batch_id as "batchId", received_at as "receivedAt", transaction_ids as "transactionIds"
           from (table taken union all
                 select batch_id, received_at, transaction_ids from market.ingest_batches
                  where batch_id = any($1::uuid[]) and taken_over) open`,
};

/**
 * Takes batches over from their requests: a request that appended to a Redis which was lost since, and was then
 * suspended, no longer closes its batch. Returns those that are still open, as they are from now on; waits for
 * requests that are closing one.
 */
export async function takeOverIngestBatches(
  database: Pick<Database, 'query'>,
  batchIds: readonly string[],
): Promise<OpenBatch[]> {
  return await database.query<OpenBatch>(takeOverStatement, [uuidArray(batchIds)]);
}

const listOpenStatement = {
  name: 'list-open-batches',
  text: `select batch_id as "batchId", received_at as "receivedAt", to_json(transaction_ids) as "transactionIds"
           from (select batch_id, received_at, transaction_ids,
                        sum(cardinality(transaction_ids)) over w - cardinality(transaction_ids) as before
                   from (select batch_id, received_at, transaction_ids
                           from market.ingest_batches
                          where received_at < $1 and (received_at, batch_id) > ($2, $3::uuid)
                          order by received_at, batch_id
                          limit $4) page
                 window w as (order by received_at, batch_id)) counted
          where before < $4
          order by received_at, batch_id`,
};

/** Open batches received before a time, oldest first, up to `transactionsMax` transactions together. */
export async function listOpenBatches(
  database: Pick<Database, 'query'>,
  before: Date,
  after: BatchPosition,
  transactionsMax: number,
): Promise<OpenBatch[]> {
  return await database.query<OpenBatch>(listOpenStatement, [
    before,
    after.receivedAt,
    after.batchId,
    transactionsMax,
  ]);
}

// API and reconciler may narrow one batch at the same time, each to what it left: what both left stays. The
// lock makes the second see the first one's result.
const narrowStatement = {
  name: 'narrow-ingest-batch',
  text: `with batch as materialized (
           select batch_id, array(select unnest(transaction_ids) intersect select unnest($2::uuid[])) as rest
             from (select batch_id, transaction_ids from market.ingest_batches
                    where batch_id = $1 and (not taken_over or $3) for update) locked
         ), closed as (
           delete from market.ingest_batches
            using batch
            where ingest_batches.batch_id = batch.batch_id and batch.rest = '{}'
         )
         update market.ingest_batches
            set transaction_ids = batch.rest
           from batch
          where ingest_batches.batch_id = batch.batch_id and batch.rest <> '{}'`,
};

/** Reduces a batch to those of these transactions that it holds; without any it is closed. */
export async function narrowIngestBatch(
  database: Pick<Database, 'query'>,
  batchId: string,
  transactionIds: readonly string[],
  by: BatchUser,
): Promise<void> {
  const values = [batchId, uuidArray(transactionIds), by === 'reconciler'];
  await database.query(narrowStatement, values);
}

const openStatement = {
  name: 'open-ingest-batch',
  text: 'insert into market.ingest_batches (batch_id, received_at, transaction_ids) values ($1, now(), $2::uuid[])',
};

/**
 * Opens a batch for stored transactions. Its time is not after any that its database transaction has stamped.
 */
export async function openIngestBatch(
  query: Query,
  batchId: string,
  transactionIds: readonly string[],
): Promise<void> {
  await query(openStatement, [batchId, uuidArray(transactionIds)]);
}
