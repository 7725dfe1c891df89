/** Completes label requests that were interrupted before they invalidated profiles, as a duty of one worker. */
import type { Query } from '../../kit/database/pool.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { type Ids, idsOf, outboxDuty } from '../../kit/outbox/outbox.ts';
import { openInvalidateLabelled } from '../accept/invalidate-labelled.ts';
import type { Worker } from '../room.ts';
import { openUntold } from '../store/labels/untold-labels.ts';

export function bindLabelDuty(worker: Worker): Duty {
  const { config, redis, guards } = worker;
  const { RISK_MARKET: market, RISK_RECONCILE_AGE_MS: ageMs } = config;
  const topic = {
    outbox: openUntold(ageMs),
    // Profiles may be invalidated twice, which costs a rebuild.
    apply: (query: Query, rows: readonly Ids[]) =>
      openInvalidateLabelled({ query }, redis, market, guards.redis.run)(idsOf(rows)),
  };
  return outboxDuty(worker, topic, { lease: 'repair' });
}
