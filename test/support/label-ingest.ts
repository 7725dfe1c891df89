/** The dependencies of accepting labels, over a rig's stores and without breakers. */
import type { LabelIngest } from '../../src/core/accept/accept-labels.ts';
import { openInvalidateLabelled } from '../../src/core/accept/invalidate-labelled.ts';
import { createPartitionGuard } from '../../src/core/store/partitions/partitions.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import { ROOMS } from '../../src/main/rooms.ts';
import type { WorkerRig } from './worker-rig.ts';

export function openLabelIngest({ pool, commands, database }: WorkerRig): LabelIngest {
  return {
    database: pool,
    partitions: createPartitionGuard(pool),
    invalidateLabelled: openInvalidateLabelled(pool, commands, database.market, (call) => call()),
    metrics: createMetrics(),
    failpoint: () => undefined,
    onLabelled: ROOMS.flatMap(({ onLabelled }) => onLabelled ?? []),
  };
}
