/** Binds ingest to its adapters: how the API accepts transactions. */

import type { CommandContext } from '../../cli/command.ts';
import type { AcceptDependencies } from '../../ingest/accept-transactions.ts';
import { createTryAppend } from '../../ingest/append-entries.ts';
import { type BatchCloser, createBatchCloser } from '../../ingest/batch-closer.ts';
import type { CorridorList } from '../../ingest/corridor-list.ts';
import { createGuardedAppend } from '../../ingest/guarded-append.ts';
import { createTransactionIds } from '../../ingest/transaction-id.ts';
import { createFailpoint, FAILPOINT_VARIABLE } from '../../runtime/failpoint.ts';
import type { Guards } from '../../runtime/guards.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Database } from '../../store/database/pool.ts';
import { createKeySlices } from '../../store/idempotency-keys/key-slices.ts';
import { createPartitionGuard } from '../../store/partitions/partitions.ts';
import { deleteIngestBatches, narrowIngestBatch } from '../../store/recovery/ingest-batches.ts';
import {
  claimTransactions,
  findHolders,
  readReceivedAtMs,
} from '../../store/transactions/transactions.ts';
import type { RedisClient } from '../../stream/connection/connection.ts';
import { isStreamAtFault } from '../../stream/connection/outage.ts';
import { createProducer } from '../../stream/entries/producer.ts';

const MIB = 2 ** 20;

export type AcceptAdapters = {
  readonly database: Database;
  readonly redis: RedisClient;
  readonly guards: Guards;
  readonly metrics: Metrics;
  readonly corridorList: CorridorList;
};

export function bindAccept(
  { config, environment, log }: CommandContext,
  { database, redis, guards, metrics, corridorList }: AcceptAdapters,
): { readonly accept: AcceptDependencies; readonly closer: BatchCloser } {
  const closer = createBatchCloser({
    deleteBatches: (batchIds) => deleteIngestBatches(database, batchIds, 'request'),
    narrowBatch: (batchId, ids) => narrowIngestBatch(database, batchId, ids, 'request'),
    log,
  });
  const producer = createProducer({
    redis,
    market: config.RISK_MARKET,
    shards: config.RISK_SHARDS,
    transactionsMax: config.RISK_STREAM_ENTRIES_MAX,
  });
  const slices = createKeySlices(database, {
    bytesMax: config.RISK_KEY_FILTER_MB * MIB,
    nowMs: () => performance.now(),
    report: ({ unfiltered }) => metrics.keySlicesUnfiltered.set(unfiltered),
  });
  const accept: AcceptDependencies = {
    claim: (batch) => claimTransactions(database, slices, batch),
    readReceivedAtMs: (row) => readReceivedAtMs(database, row),
    findHolders: (client, rows) => findHolders(database, client, rows),
    partitions: createPartitionGuard(database),
    newMonthsMax: config.RISK_NEW_MONTHS_PER_REQUEST_MAX,
    tryAppend: createTryAppend({
      append: createGuardedAppend({ ...producer, ...guards, isStreamAtFault }),
      failures: metrics.appendFailures,
      nowMs: () => performance.now(),
    }),
    closer,
    newId: createTransactionIds(),
    corridors: corridorList.corridors,
    now: Date.now,
    failpoint: createFailpoint(environment[FAILPOINT_VARIABLE]),
    count: {
      accepted: (corridor, transactions) => metrics.accepted.inc({ corridor }, transactions),
      duplicates: (transactions) => metrics.duplicates.inc(transactions),
    },
  };
  return { accept, closer };
}
