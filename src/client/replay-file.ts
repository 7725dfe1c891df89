/**
 * Posts a file of transactions: batches over a few connections, each taken when the one before it is
 * answered, so that the API sets the pace (or `rowsPerSecond` does). Ids of accepted rows are kept
 * for the ledger.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { createContiguous, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { createIdList, type IdList } from './id-list.ts';
import { onConnections } from './on-connections.ts';
import { createPatience, type Patience } from './patience.ts';
import { type Outcomes, postRows } from './post-rows.ts';
import { createRefusedRows, type Refused } from './refused-rows.ts';
import type { RowBatch, SourceFile } from './rows.ts';

export type ReplayOptions = {
  readonly batchRows: number;
  readonly connections: number;
  /** Upper bound; null: as fast as the API answers. */
  readonly rowsPerSecond: number | null;
  readonly patienceMs: number;
  /** File that records the rows answered so far; null records nothing. */
  readonly checkpointPath: string | null;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ReplayProgress) => void;
  /** Called when the API does not take rows, with the reason; once per outage. */
  readonly onWaiting: (reason: string) => void;
};

export type ReplayProgress = {
  readonly rows: number;
  readonly bytesRead: number;
  readonly bytes: number;
};

export type ReplayResult = {
  readonly accepted: IdList;
  readonly duplicates: number;
  /** Duplicates that an earlier try of this replay may have stored. */
  readonly repeated: IdList;
  readonly refused: number;
  readonly refusedFirst: readonly Refused[];
  /** Rows that an earlier run had answered. */
  readonly skipped: number;
};

const CHECKPOINT_EVERY_MS = 1_000;

type Tally = Outcomes & { result(skipped: number): ReplayResult; rows(): number };

export async function replayFile(
  client: ApiClient,
  source: SourceFile,
  options: ReplayOptions,
): Promise<ReplayResult> {
  const { checkpointPath } = options;
  const skipped = checkpointPath === null ? 0 : await readCheckpoint(checkpointPath, source);
  const tally = createTally();
  const checkpoint = createKeeper(source, checkpointPath, skipped);
  const pace = createPace(options.rowsPerSecond, options.signal);
  const patience = createPatience(options);
  const batches = source.batches(options.batchRows, skipped);
  const takeBatches = async () => {
    for await (const batch of batches) {
      const answered = checkpoint.begin(batch.rowsEnd);
      await pace(batch.rows.length);
      await postBatch({ client, patience, tally }, batch);
      answered();
      await checkpoint.keepNowAndThen();
      options.onProgress({
        rows: skipped + tally.rows(),
        bytesRead: source.bytesRead(),
        bytes: source.bytes,
      });
    }
  };
  const end = await onConnections(options.connections, takeBatches);
  await checkpoint.keep();
  if (end !== undefined) throw end.failed;
  return tally.result(skipped);
}

async function postBatch(
  dependencies: { client: ApiClient; patience: Patience; tally: Tally },
  batch: RowBatch,
): Promise<void> {
  const { client, patience, tally } = dependencies;
  for (const row of batch.unreadable) tally.refused(row);
  await postRows({ client, patience, outcomes: tally }, batch.rows);
}

function createTally(): Tally {
  const accepted = createIdList();
  const repeatedIds = createIdList();
  const refused = createRefusedRows();
  let duplicates = 0;
  return {
    accepted: (id) => accepted.add(id),
    duplicate: (id, repeated) => {
      duplicates++;
      if (repeated) repeatedIds.add(id);
    },
    refused: refused.add,
    rows: () => accepted.size() + duplicates + refused.count(),
    result: (skipped) => ({
      accepted,
      duplicates,
      repeated: repeatedIds,
      refused: refused.count(),
      refusedFirst: refused.first(),
      skipped,
    }),
  };
}

/** Lets at most `rowsPerSecond` rows pass; waiting batches keep their order. */
function createPace(
  rowsPerSecond: number | null,
  signal: AbortSignal,
): (rows: number) => Promise<void> {
  let nextMs = 0;
  return async (rows) => {
    if (rowsPerSecond === null) return;
    const nowMs = performance.now();
    const dueMs = Math.max(nowMs, nextMs);
    nextMs = dueMs + (rows / rowsPerSecond) * 1000;
    if (dueMs > nowMs) await wait(dueMs - nowMs, undefined, { signal });
  };
}

/** Writes the checkpoint about once a second and at the end. */
function createKeeper(source: SourceFile, path: string | null, skipped: number) {
  const contiguous = createContiguous(skipped);
  let keptMs = performance.now();
  const keep = async () => {
    keptMs = performance.now();
    if (path !== null) await writeCheckpoint(path, source, contiguous.rows());
  };
  return {
    begin: contiguous.begin,
    keep,
    keepNowAndThen: async () => {
      if (performance.now() - keptMs > CHECKPOINT_EVERY_MS) await keep();
    },
  };
}
