/**
 * Batches that are committed but not yet known to be in a stream. Opened with their transactions,
 * deleted once appended; what stays is the reconciler's work.
 */
import { uuidArray } from './binary-array.ts';
import type { Database, Query } from './pool.ts';

export type OpenBatch = { readonly batchId: string; readonly transactionIds: readonly string[] };

const deleteStatement = {
  name: 'delete-ingest-batches',
  text: 'delete from ingest_batches where batch_id = any($1::uuid[])',
};

export async function deleteIngestBatches(
  database: Pick<Database, 'query'>,
  batchIds: readonly string[],
): Promise<void> {
  await database.query(deleteStatement, [uuidArray(batchIds)]);
}

const listOpenStatement = {
  name: 'list-open-batches',
  text: `select batch_id as "batchId", transaction_ids as "transactionIds"
           from ingest_batches
          where received_at < $1
          order by received_at
          limit $2`,
};

/** The oldest open batches received before a time. */
export async function listOpenBatches(
  database: Pick<Database, 'query'>,
  before: Date,
  batchesMax: number,
): Promise<OpenBatch[]> {
  return await database.query<OpenBatch>(listOpenStatement, [before, batchesMax]);
}

const openStatement = {
  name: 'open-ingest-batch',
  text: 'insert into ingest_batches (batch_id, received_at, transaction_ids) values ($1, $2, $3::uuid[])',
};

/** Opens a batch for transactions that are stored already, as a replay of dead letters does. */
export async function openIngestBatch(
  query: Query,
  batchId: string,
  receivedAt: Date,
  transactionIds: readonly string[],
): Promise<void> {
  await query(openStatement, [batchId, receivedAt, uuidArray(transactionIds)]);
}

const countStatement = {
  name: 'count-open-batches',
  text: `select count(*)::int4 as batches, min(received_at) as oldest from ingest_batches`,
};

export async function countOpenBatches(
  database: Pick<Database, 'query'>,
): Promise<{ batches: number; oldest: Date | null }> {
  const [row] = await database.query<{ batches: number; oldest: Date | null }>(countStatement);
  return row ?? { batches: 0, oldest: null };
}
