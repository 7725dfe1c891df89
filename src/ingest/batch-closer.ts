/**
 * Closes batches that are in their streams: gathers ids and deletes many rows in one statement, so
 * that a request does not pay a second commit. A row that is not deleted costs the reconciler a look.
 */
import type { Log } from '../runtime/log.ts';

const FLUSH_INTERVAL_MS = 50;
const FLUSH_IDS = 100;
/** Ids remembered while Postgres does not answer; beyond it the reconciler closes the rows. */
const IDS_MAX = 10_000;

export type BatchCloser = {
  readonly close: (batchId: string) => void;
  /** Deletes what is gathered; call before the pool closes. */
  readonly flush: () => Promise<void>;
};

export type BatchCloserDependencies = {
  readonly deleteBatches: (batchIds: readonly string[]) => Promise<void>;
  readonly log: Pick<Log, 'warn'>;
};

export function createBatchCloser({ deleteBatches, log }: BatchCloserDependencies): BatchCloser {
  let gathered: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const run = async () => {
    const batchIds = gathered;
    gathered = [];
    if (batchIds.length === 0) return;
    try {
      await deleteBatches(batchIds);
    } catch (error) {
      log.warn(
        { cause: String(error), batches: batchIds.length },
        'batches left to the reconciler',
      );
    }
  };
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    running = running.then(run);
    return running;
  };
  return {
    close: (batchId) => {
      if (gathered.length >= IDS_MAX) return;
      gathered.push(batchId);
      if (gathered.length === FLUSH_IDS) void flush();
      else timer ??= setTimeout(() => void flush(), FLUSH_INTERVAL_MS);
    },
    flush,
  };
}
