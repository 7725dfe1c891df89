/** The acceptance of labels bound to its adapters. */
import type { AcceptLabelsDependencies } from '../ingest/accept-labels.ts';
import type { AcceptDependencies } from '../ingest/accept-transactions.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { findParties, insertLabels } from '../store/labels.ts';
import type { Database } from '../store/pool.ts';

/** @param accept of whose keys, partitions and clock labels make use */
export function bindLabels(
  database: Database,
  { findHeldKeys, partitions, newId, now }: AcceptDependencies,
  metrics: Pick<Metrics, 'labels' | 'labelDelay'>,
): AcceptLabelsDependencies {
  return {
    ...{ database, findHeldKeys, findParties, insertLabels, partitions, newId, now },
    // No feature counts labels, so no profile has to know of one.
    tellProfiles: () => Promise.resolve(),
    count: (label, delayMs) => {
      metrics.labels.inc({ label });
      metrics.labelDelay.observe({ label }, delayMs / 1000);
    },
  };
}
