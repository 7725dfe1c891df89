/**
 * Posts a file of transactions, at most `rowsPerSecond`. Ids of accepted rows are kept for the ledger, and the rows that are
 * answered in a checkpoint, from which a stopped replay goes on.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { ApiClient } from '../../kit/client/api-client.ts';
import { type PostFileOptions, postFile } from '../../kit/client/post-file.ts';
import { createRefusedRows, type Refused } from '../../kit/client/refused-rows.ts';
import type { SourceFile } from '../../kit/client/rows.ts';
import { createContiguous, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { createIdList, type IdList } from './id-list.ts';
import { type Outcomes, postRows } from './post-rows.ts';

export type ReplayOptions = PostFileOptions & {
  /** Upper bound; null: as fast as the API answers. */
  readonly rowsPerSecond: number | null;
  /** File that records the rows answered so far; null records nothing. */
  readonly checkpointPath: string | null;
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
  try {
    await postFile(source, options, {
      ...{ skipped, refused: tally.refused, rows: tally.rows },
      async post({ rows, rowsEnd }, retryPolicy) {
        const answered = checkpoint.begin(rowsEnd);
        await pace(rows.length);
        await postRows({ client, retryPolicy, outcomes: tally }, rows);
        answered();
        await checkpoint.keepNowAndThen();
      },
    });
  } finally {
    await checkpoint.keep();
  }
  return tally.result(skipped);
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
