/** Completes label requests that were interrupted before they invalidated profiles, as a duty of one worker. */

import { openInvalidateLabelled } from '../../ingest/invalidate-labelled.ts';
import { finishLabelBatches } from '../../repair/finish-label-batches.ts';
import type { Guard } from '../../runtime/breaker.ts';
import type { Config } from '../../runtime/config.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Database } from '../../store/database/pool.ts';
import { deleteLabelBatches, listLabelBatches } from '../../store/labels/label-batches.ts';
import type { Leadership } from '../../store/maintenance/leadership.ts';
import type { RedisClient } from '../../stream/connection/connection.ts';

const FINISH_EVERY_MS = 1000;

/**
 * A worker's duty that does nothing while another worker leads.
 * @param guard the breaker of Redis
 */
export function bindLabelDuty(
  config: Config,
  database: Pick<Database, 'query'>,
  redis: RedisClient,
  guard: Guard,
  { labelsUntold }: Pick<Metrics, 'labelsUntold'>,
  leadership: Leadership,
) {
  const lead = leadership.of('labels');
  const steps = {
    listLabelBatches: (agedMs: number, max: number) => listLabelBatches(database, agedMs, max),
    deleteLabelBatches: (ids: readonly string[]) => deleteLabelBatches(lead.writes, ids),
    invalidateLabelled: openInvalidateLabelled(database, redis, config.RISK_MARKET, guard),
  };
  const ageMs = config.RISK_RECONCILE_AGE_MS;
  const report = (oldestMs: number) => labelsUntold.set(oldestMs / 1000);
  return {
    name: 'finish-label-batches',
    everyMs: FINISH_EVERY_MS,
    run: async (signal: AbortSignal) => {
      const leads = await lead.run(
        async () => void (await finishLabelBatches(steps, ageMs, report, signal)),
      );
      // The worker that leads reports these gauges; what this process saw last is out of date.
      if (!leads) labelsUntold.set(0);
    },
  };
}
