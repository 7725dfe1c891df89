/** Metrics of corridors; the worker that leads reports them. */
import type { MakeMetrics } from '../../kit/metrics/make-metrics.ts';

export function createCorridorMetrics({ gauge }: MakeMetrics) {
  return {
    health: gauge('risk_corridor_health_score', 'Health of a corridor, 0 to 100.', ['corridor']),
    healthParts: gauge('risk_corridor_health_ratio', 'Parts of that health, 0 (worst) to 1.', [
      'corridor',
      'part',
    ]),
    availability: gauge(
      'risk_corridor_availability_ratio',
      'Share scored in time, of the newest due ones.',
      ['corridor'],
    ),
    region: gauge(
      'risk_corridor_region',
      'Version of the settings by which the corridor is of the region.',
      ['corridor', 'region'],
    ),
    activeAccounts: gauge(
      'risk_corridor_active_accounts',
      'Accounts of the last day, among the newest 8 MiB.',
      ['corridor'],
    ),
    volume: gauge(
      'risk_accepted_transactions_per_second',
      'Accepted in five minutes, or the newest 8 MiB; rare words are `other`.',
      ['corridor', 'currency', 'channel', 'type'],
    ),
  };
}
