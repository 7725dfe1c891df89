/**
 * Requests whose labels are committed, but of which the profiles may not have been told. Opened with their
 * labels, deleted once the profiles know; what stays is told by a worker.
 */
import { uuidArray } from './binary-array.ts';
import type { Database, Query } from './pool.ts';

const openStatement = {
  name: 'open-label-batch',
  text: `insert into label_batches (batch_id, received_at, transaction_ids) values ($1, $2, $3::uuid[])
         on conflict do nothing`,
};

/** @param query of the database transaction that adds the labels */
export async function openLabelBatch(
  query: Query,
  batchId: string,
  receivedAtMs: number,
  transactionIds: readonly string[],
): Promise<void> {
  await query(openStatement, [batchId, new Date(receivedAtMs), uuidArray(transactionIds)]);
}

const deleteStatement = {
  name: 'delete-label-batch',
  text: 'delete from label_batches where batch_id = $1',
};

export async function deleteLabelBatch(
  database: Pick<Database, 'query'>,
  batchId: string,
): Promise<void> {
  await database.query(deleteStatement, [batchId]);
}

export type LabelBatch = {
  readonly batchId: string;
  readonly receivedAt: Date;
  readonly transactionIds: readonly string[];
};

const listStatement = {
  name: 'list-label-batches',
  text: `select batch_id as "batchId", received_at as "receivedAt", transaction_ids as "transactionIds"
           from label_batches where received_at < $1 order by received_at limit $2`,
};

/** Received before a time, the oldest first. */
export async function listLabelBatches(
  database: Pick<Database, 'query'>,
  before: Date,
  limit: number,
): Promise<LabelBatch[]> {
  return await database.query<LabelBatch>(listStatement, [before, limit]);
}
