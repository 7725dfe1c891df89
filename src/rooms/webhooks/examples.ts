/** Examples of webhooks. */
import type { DeliveryJson, WebhookJson } from './webhook.ts';

export const WEBHOOK_ID = '019aa5c1-2f00-7000-8000-00000000002a';

export const webhook: WebhookJson = {
  ...{ webhook_id: WEBHOOK_ID, url: 'https://shop.example/risk-events' },
  ...{ event_types: ['transaction.decided'], verdicts: ['review', 'decline'] },
  ...{ corridors: null, client: 'shop', state: 'active' },
  ...{ disabled_at: null, disabled_reason: null, failing_since: null },
  previous_secret_until: null,
  ...{ created_at: '2026-11-20T08:00:00.000Z', created_by: 'Ann' },
};

export const delivery: DeliveryJson = {
  ...{ delivery_id: '41', event_id: 'decided_019aa5c1-2f00-7000-8000-00000000002b' },
  ...{ event_type: 'transaction.decided', decisions: 34, created_at: '2026-11-20T12:00:00.000Z' },
  ...{ state: 'waiting', attempts: 1, next_at: '2026-11-20T12:00:05.300Z' },
  ...{ last_at: '2026-11-20T12:00:00.240Z', response_status: 500, error: null },
};
