/** `risk webhooks …`: makes, changes and watches webhooks over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

export const command = commandOf({
  name: 'webhooks',
  summary: 'Makes, tests and deletes webhooks; shows what was sent.',
  notes: 'Example: risk webhooks create https://shop.example/risk-events --client shop',
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listWebhooks',
      columns: ['webhook_id', 'state', 'client', 'event_types', 'url', 'failing_since'],
    },
    create: {
      operation: 'createWebhook',
      summary: 'Make a webhook; its secret is printed this once',
      words: { TARGET: 'url' },
      fields: { event_types: ['transaction.decided'] },
      options: { type: 'event_types', verdict: 'verdicts', corridor: 'corridors' },
    },
    pause: {
      operation: 'changeWebhook',
      summary: 'Let events wait',
      fields: { paused: true },
      options: false,
    },
    resume: {
      operation: 'changeWebhook',
      summary: 'Send what waits; it enables a disabled webhook, too',
      fields: { paused: false },
      options: false,
    },
    deliveries: {
      operation: 'listDeliveries',
      hides: ['event_type', 'created_at', 'last_at'],
    },
    delete: { operation: 'deleteWebhook', says: 'The webhook is deleted.' },
  },
});
