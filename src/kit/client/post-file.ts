/**
 * Posts a file in batches over a few connections, each taken when the one before it is answered, so that the API sets the
 * pace.
 */
import type { RefusedRows } from './refused-rows.ts';
import { createRetryPolicy, type RetryPolicy, type RetryPolicyOptions } from './retry-policy.ts';
import type { Row, RowBatch, SourceFile } from './rows.ts';

export type PostFileOptions = RetryPolicyOptions & {
  readonly batchRows: number;
  readonly connections: number;
  readonly onProgress: (progress: PostProgress) => void;
};

export type PostProgress = {
  readonly rows: number;
  readonly bytesRead: number;
  readonly bytes: number;
};

type Poster = {
  /** Rows of the file before the first one that is posted. */
  readonly skipped: number;
  /** Posts the rows of a batch until each has its answer. */
  readonly post: (batch: RowBatch, retryPolicy: RetryPolicy) => Promise<void>;
  readonly refused: RefusedRows['add'];
  /** Rows that have their answer, refused ones included. */
  readonly rows: () => number;
};

/** @throws the first error; it ends the shared reader, and with it the work on the other connections */
export async function postFile(
  source: SourceFile,
  options: PostFileOptions,
  { skipped, post, refused, rows }: Poster,
): Promise<void> {
  const retryPolicy = createRetryPolicy(options);
  const batches = source.batches(options.batchRows, skipped);
  const takeBatches = async () => {
    for await (const batch of batches) {
      for (const row of batch.unreadable) refused(row);
      await post(batch, retryPolicy);
      const { bytes } = source;
      options.onProgress({ rows: skipped + rows(), bytesRead: source.bytesRead(), bytes });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: options.connections }, takeBatches));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Posts the rows of a request that was too large in two; a single one is refused. */
export async function postHalves(
  rows: readonly Row[],
  post: (half: readonly Row[]) => Promise<void>,
  refused: RefusedRows['add'],
): Promise<void> {
  const half = Math.ceil(rows.length / 2);
  if (half < rows.length) {
    await post(rows.slice(0, half));
    await post(rows.slice(half));
  } else {
    for (const { line } of rows) refused({ line, detail: 'is too large for the API' });
  }
}
