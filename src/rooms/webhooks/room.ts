/** The room of webhooks: events sent to other systems. */
import type { Room } from '../../core/room.ts';
import { createWebhookMetrics } from './metrics.ts';
import { tables } from './tables.ts';

export const webhooks: Room = {
  name: 'webhooks',
  commands: { webhooks: () => import('./commands.ts') },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => ({ routes: [(await import('./routes.ts')).webhooksRoutes(api)] }),
  worker: async (worker) => (await import('./duty.ts')).openWebhooks(worker),
  alerts: async () => (await import('./alerts.ts')).alerts,
  tables,
  metrics: createWebhookMetrics,
};
