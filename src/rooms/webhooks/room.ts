/** The room of webhooks: events sent to other systems. */
import type { Room } from '../../core/room.ts';
import {
  OLD,
  PURGE_STEP_ROWS_MAX,
  purgeBefore,
  purgeRows,
  type Retention,
} from '../../kit/duties/purge.ts';
import { createWebhookMetrics } from './metrics.ts';

const tables: readonly Retention[] = [
  {
    tables: ['outbox_decided', 'outbox_events'],
    ends: 'once their deliveries are made: they are work',
  },
  {
    tables: ['webhook_deliveries', 'webhook_endpoints'],
    setting: 'RISK_WEBHOOK_RETENTION_DAYS',
    ends: 'after the event, delivered or not; an endpoint ends as long after it was deleted, and one in use stays',
    purges: [
      purgeRows(
        'webhook_deliveries',
        // Ids rise with time; a deleted webhook gets no more deliveries.
        `from (select ctid, created_at from market.webhook_deliveries order by delivery_id limit ${PURGE_STEP_ROWS_MAX}) first
      where created_at < ${OLD}`,
      ),
      purgeBefore('webhook_endpoints', 'deleted_at', OLD),
    ],
  },
];

export const webhooks: Room = {
  name: 'webhooks',
  commands: { webhooks: () => import('./commands.ts') },
  routes: () => import('./routes.ts'),
  worker: async (worker) => (await import('./duty.ts')).openWebhooks(worker),
  tables,
  metrics: createWebhookMetrics,
};
