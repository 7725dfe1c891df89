/** A committed batch that is not yet known to be in its streams. */
export type OpenBatch = {
  readonly batchId: string;
  readonly receivedAt: Date;
  readonly transactionIds: readonly string[];
};

/** Where a page of open batches starts: they are ordered by (received_at, batch_id). */
export type BatchPosition = Pick<OpenBatch, 'receivedAt' | 'batchId'>;

/** A time after every batch: open batches of any age lie before it. */
export const END_OF_BATCHES = new Date(Date.UTC(9999, 0));

export const FIRST_BATCH: BatchPosition = {
  receivedAt: new Date(0),
  batchId: '00000000-0000-0000-0000-000000000000',
};
