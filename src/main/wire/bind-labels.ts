/**
 * Binds labels to their adapters: how the API accepts them, and the duty that completes interrupted requests.
 */
import { featureIndex } from '../../domain/feature-schema.ts';
import type { AcceptLabelsDependencies } from '../../ingest/accept-labels.ts';
import type { AcceptDependencies } from '../../ingest/accept-transactions.ts';
import { createTellProfiles, type TellProfiles } from '../../ingest/tell-profiles.ts';
import { tellLeftBatches } from '../../repair/tell-left-batches.ts';
import type { Breaker } from '../../runtime/breaker.ts';
import type { Config } from '../../runtime/config.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Database } from '../../store/database/pool.ts';
import { findHeldKeys } from '../../store/idempotency-keys/idempotency-keys.ts';
import {
  deleteLabelBatches,
  listLabelBatches,
  openLabelBatch,
} from '../../store/labels/label-batches.ts';
import {
  findFraudParties,
  findLoggedFeature,
  findParties,
  insertLabels,
} from '../../store/labels/labels.ts';
import type { Leadership } from '../../store/maintenance/leadership.ts';
import { findDetachedMonths } from '../../store/partitions/partitions.ts';
import type { RedisClient } from '../../stream/connection/connection.ts';
import { createInvalidateProfiles } from '../../stream/profiles/invalidate-profiles.ts';

const TELL_EVERY_MS = 1000;

export type LabelAdapters = {
  readonly database: Database;
  readonly redis: RedisClient;
  readonly guards: { readonly redis: Pick<Breaker, 'run'> };
  readonly metrics: Pick<Metrics, 'labels' | 'labelDelay' | 'labelsUntold'>;
};

/** The adapters of transactions that labels use, too. */
export type SharedWithTransactions = Pick<
  AcceptDependencies,
  'partitions' | 'newId' | 'now' | 'failpoint'
>;

export function bindLabels(
  config: Config,
  adapters: LabelAdapters,
  { partitions, newId, now, failpoint }: SharedWithTransactions,
): AcceptLabelsDependencies {
  const { database, metrics } = adapters;
  return {
    ...{ database, findHeldKeys, findParties, insertLabels, openLabelBatch, findDetachedMonths },
    ...{ partitions, newId, now, failpoint },
    findAmountToMedian: (query, ids) =>
      findLoggedFeature(query, ids, featureIndex('amount_to_median')),
    tellProfiles: bindTellProfiles(config, adapters),
    closeLabelBatch: (batchId) => deleteLabelBatches(database, [batchId]),
    count: (label, delayMs) => {
      metrics.labels.inc({ label });
      metrics.labelDelay.observe({ label }, delayMs / 1000);
    },
  };
}

/** A worker's duty that does nothing while another worker leads. */
export function bindLabelDuty(config: Config, adapters: LabelAdapters, leadership: Leadership) {
  const { database, metrics } = adapters;
  const lead = leadership.of('labels');
  const dependencies = {
    listLabelBatches: (agedMs: number, max: number) => listLabelBatches(database, agedMs, max),
    deleteLabelBatches: (ids: readonly string[]) => deleteLabelBatches(lead.writes, ids),
    tellProfiles: bindTellProfiles(config, adapters),
    batchAgeMs: config.RISK_RECONCILE_AGE_MS,
    reportAge: (ageMs: number) => metrics.labelsUntold.set(ageMs / 1000),
  };
  return {
    name: 'tell-profiles',
    everyMs: TELL_EVERY_MS,
    run: async (signal: AbortSignal) => {
      const leads = await lead.run(async () => void (await tellLeftBatches(dependencies, signal)));
      // The worker that leads reports these gauges; what this process saw last is out of date.
      if (!leads) metrics.labelsUntold.set(0);
    },
  };
}

function bindTellProfiles(
  config: Config,
  { database, redis, guards }: LabelAdapters,
): TellProfiles {
  const invalidateProfiles = createInvalidateProfiles(redis, config.RISK_MARKET);
  return createTellProfiles({
    findFraudParties: (ids) => findFraudParties(database.query, ids),
    invalidateProfiles: (parties) => guards.redis.run(() => invalidateProfiles(parties)),
  });
}
