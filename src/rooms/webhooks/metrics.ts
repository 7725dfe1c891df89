/** Metrics of webhooks. */
import type { MakeMetrics } from '../../kit/metrics/make-metrics.ts';

export function createWebhookMetrics({ counter, gauge }: MakeMetrics) {
  return {
    webhookAttempts: counter(
      'risk_webhook_attempts_total',
      'Attempts to deliver an event: delivered, retried, or dead after the last one.',
      ['outcome'],
    ),
    webhookEvents: counter(
      'risk_webhook_deliveries_made_total',
      'Deliveries made: one for each endpoint that takes an event.',
    ),
    webhookDue: gauge(
      'risk_webhook_oldest_due_seconds',
      'For how long the oldest delivery is due; 0 in a worker that does not lead.',
    ),
    webhooksDisabled: gauge(
      'risk_webhook_endpoints_disabled',
      'Webhooks that are disabled; 0 in a worker that does not lead.',
    ),
  };
}
