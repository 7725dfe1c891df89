/** Metrics of corridors; the worker that leads reports them. */
import type { MakeMetrics } from '../../kit/metrics/make-metrics.ts';

export type CorridorMetrics = ReturnType<typeof createCorridorMetrics>;

export function createCorridorMetrics({ gauge }: MakeMetrics) {
  return {
    health: gauge('risk_corridor_health_score', 'Health of a corridor, 0 to 100.', ['corridor']),
    healthParts: gauge(
      'risk_corridor_health_ratio',
      'Parts of the health of a corridor, each from 0 (worst) to 1.',
      ['corridor', 'part'],
    ),
    availability: gauge(
      'risk_corridor_availability_ratio',
      'Share scored in time of the newest transactions of a corridor, at least 100, of the last hour; absent where none was due.',
      ['corridor'],
    ),
    activeAccounts: gauge(
      'risk_corridor_active_accounts',
      'Accounts with a transaction of the last day, among the newest 8 MiB of a month.',
      ['corridor'],
    ),
    volume: gauge(
      'risk_accepted_transactions_per_second',
      'Transactions accepted a second in the last five minutes, among the newest 8 MiB; what is not one of the ten commonest words is `other`.',
      ['corridor', 'currency', 'channel', 'type'],
    ),
  };
}
