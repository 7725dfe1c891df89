/** Alerts on webhooks. */
import type { Alert } from '../../kit/alerts/alert.ts';

export const alerts: readonly Alert[] = [
  {
    name: 'WebhooksLate',
    level: 'service',
    summary: 'A delivery is due for {{ $value | humanizeDuration }}.',
    rules: [
      {
        severity: 'warning',
        when: (windows) =>
          `max by (market) (risk_webhook_oldest_due_seconds) > ${windows.seconds('fiveMinutes')}`,
      },
    ],
  },
  {
    name: 'WebhooksDisabled',
    level: 'service',
    summary: '{{ $value }} webhooks are disabled.',
    runbook: 'WebhooksLate',
    rules: [
      { severity: 'warning', when: () => 'max by (market) (risk_webhook_endpoints_disabled) > 0' },
    ],
  },
];
