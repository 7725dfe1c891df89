/** What accepting labels needs, over a rig's stores and without breakers. */
import { UNKNOWN_SYSTEM } from '../../src/domain/consistency-token.ts';
import type { LabelIngest } from '../../src/ingest/accept-labels.ts';
import { openInvalidateLabelled } from '../../src/ingest/invalidate-labelled.ts';
import { createTransactionIds } from '../../src/ingest/transaction-id.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { createPartitionGuard } from '../../src/store/partitions/partitions.ts';
import type { WorkerRig } from './worker-rig.ts';

export function openLabelIngest({ pool, commands, database }: WorkerRig): LabelIngest {
  return {
    database: pool,
    partitions: createPartitionGuard(pool),
    invalidateLabelled: openInvalidateLabelled(pool, commands, database.market, (call) => call()),
    newId: createTransactionIds(),
    metrics: createMetrics(),
    failpoint: () => undefined,
    system: UNKNOWN_SYSTEM,
  };
}
