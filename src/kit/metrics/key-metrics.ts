/** Metrics of idempotency keys and their slices; a part of metrics.ts. */
import type { Gauge } from 'prom-client';

export function createKeyMetrics(gauge: (name: string, help: string) => Gauge) {
  return {
    keyBytes: gauge(
      'risk_idempotency_bytes',
      'Size of idempotency_keys without indexes; 0 in a worker that does not lead.',
    ),
    keySlicesUnfiltered: gauge(
      'risk_idempotency_slices_unfiltered',
      'Sealed slices without a filter here: every claim looks its keys up in them.',
    ),
    keyFilterBytes: gauge(
      'risk_idempotency_filter_bytes',
      "Memory of an API's filters of stored keys, within RISK_KEY_FILTER_MB; 0 in a worker.",
    ),
  };
}
