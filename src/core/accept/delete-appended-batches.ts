/**
 * Closes batches that are in their streams: gathers ids and deletes many rows in one statement, so that a
 * request does not pay a second commit. A batch of which a full stream left a part keeps that part. A row that
 * is not closed costs the reconciler a check, or appends an entry twice.
 */
import type { Database } from '../../kit/database/pool.ts';
import type { Log } from '../../kit/metrics/log.ts';
import { deleteIngestBatches, narrowIngestBatch } from '../store/recovery/ingest-batches.ts';

const FLUSH_INTERVAL_MS = 50;
const FLUSH_IDS = 100;
/** Most batches remembered while Postgres does not answer; the reconciler closes the rows of others. */
const IDS_MAX = 10_000;

export type BatchCloser = {
  readonly close: (batchId: string) => void;
  /** Keeps of a batch only what is still to be appended. */
  readonly narrow: (batchId: string, transactionIds: readonly string[]) => void;
  /** Writes what is gathered; must be called before the pool closes. */
  readonly flush: () => Promise<void>;
};

type Narrowed = readonly [batchId: string, transactionIds: readonly string[]];

export function createBatchCloser(
  database: Pick<Database, 'query'>,
  log: Pick<Log, 'warn'>,
): BatchCloser {
  let closed: string[] = [];
  let narrowed: Narrowed[] = [];
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const write = async (batchIds: readonly string[], parts: readonly Narrowed[]) => {
    if (batchIds.length > 0) await deleteIngestBatches(database, batchIds, 'request');
    for (const part of parts) await narrowIngestBatch(database, ...part, 'request');
  };
  const run = async () => {
    const [batchIds, parts] = [closed, narrowed];
    closed = [];
    narrowed = [];
    const batches = batchIds.length + parts.length;
    await write(batchIds, parts).catch((error: unknown) => {
      log.warn({ cause: String(error), batches }, 'batches left to the reconciler');
    });
  };
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    running = running.then(run);
    return running;
  };
  const gather = (put: () => void) => {
    const gathered = closed.length + narrowed.length;
    if (gathered >= IDS_MAX) return;
    put();
    if (gathered + 1 === FLUSH_IDS) void flush();
    else timer ??= setTimeout(() => void flush(), FLUSH_INTERVAL_MS);
  };
  return {
    close: (batchId) => gather(() => closed.push(batchId)),
    narrow: (batchId, transactionIds) => gather(() => narrowed.push([batchId, transactionIds])),
    flush,
  };
}
