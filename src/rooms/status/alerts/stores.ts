/** Alerts on Postgres, Redis, the replica and what they hold. */
import { type Alert, above, fresh } from '../../../kit/alerts/alert.ts';
import { THRESHOLDS } from '../../../kit/alerts/thresholds.ts';
import type { Windows } from '../../../kit/alerts/windows.ts';

const atLeast = (value: string, warning: number, critical: number) =>
  [['warning', warning] as const, ['critical', critical] as const].map(([severity, least]) => ({
    severity,
    when: () => `${value} >= ${least}`,
  }));

export const STORE_ALERTS: readonly Alert[] = [
  {
    name: 'Connections',
    level: 'service',
    summary:
      '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its connections to Postgres.',
    rules: above(
      ({ minute }) =>
        `avg_over_time(risk_database_connections{state="busy"}[${minute}]) / ignoring (state) risk_database_connections_max`,
      THRESHOLDS.database_connections_ratio,
    ),
  },
  {
    name: 'Degraded',
    level: 'corridor',
    summary: '{{ $labels.corridor }} is served at level {{ $value }} of degradation.',
    rules: atLeast('max by (market, corridor) (risk_corridor_degradation_level)', 1, 3),
  },
  {
    name: 'BreakerOpen',
    level: 'service',
    summary: 'A breaker of {{ $labels.breaker }} is open (2) or tries again (1).',
    rules: atLeast(
      'max by (market, breaker) (risk_breaker_state{breaker=~"postgres|redis"})',
      1,
      2,
    ),
  },
  {
    name: 'CorridorBreakerOpen',
    level: 'corridor',
    summary: 'The breaker {{ $labels.breaker }} is open.',
    runbook: 'BreakerOpen',
    rules: [
      {
        severity: 'critical',
        when: () =>
          'max by (market, corridor, breaker) (label_replace(risk_breaker_state{breaker=~"(streams|writes):.*"}, "corridor", "$1", "breaker", ".*:(.*)")) == 2',
      },
    ],
  },
  {
    name: 'BreakerOpened',
    level: 'service',
    summary: 'The breaker {{ $labels.breaker }} was open.',
    runbook: 'BreakerOpen',
    rules: [{ severity: 'warning', when: fresh('risk_breaker_opened_total', 'market, breaker') }],
  },
  {
    name: 'AppendFailures',
    level: 'service',
    summary: 'Accepted transactions wait in Postgres, as they cannot be appended to Redis.',
    rules: [{ severity: 'warning', when: fresh('risk:append_failures:sum') }],
  },
  {
    name: 'RedisCrowded',
    level: 'service',
    summary: 'Events give way, as Redis has no room.',
    rules: [
      { severity: 'warning', when: fresh('risk_scores_unpublished_total') },
      {
        severity: 'info',
        when: ({ day }: Windows) =>
          `sum by (market) (increase(risk_event_bytes_dropped_total[${day}])) > 0`,
      },
    ],
  },
  {
    name: 'ReplicaBehind',
    level: 'service',
    summary: 'The replica is {{ $value | humanizeDuration }} behind.',
    rules: [
      {
        severity: 'warning',
        when: () => 'max by (market) (risk_replica_lag_seconds) > 5',
        lasts: 'minute',
      },
      { severity: 'critical', when: () => 'max by (market) (risk_replica_lag_seconds) > 60' },
    ],
  },
  {
    name: 'ReplicaDown',
    level: 'service',
    summary: 'The replica does not answer.',
    runbook: 'ReplicaBehind',
    rules: [
      {
        severity: 'warning',
        when: () => 'max by (market) (risk_breaker_state{breaker="replica"}) == 2',
      },
    ],
  },
  {
    name: 'KafkaDown',
    level: 'service',
    summary: 'Kafka does not answer.',
    rules: [
      {
        severity: 'warning',
        when: () => 'max by (market) (risk_breaker_state{breaker="kafka"}) == 2',
        lasts: 'minute',
      },
      {
        severity: 'critical',
        when: () => 'min by (market) (risk_breaker_state{breaker="kafka"}) == 2',
        lasts: 'fiveMinutes',
      },
    ],
  },
  {
    name: 'KafkaTrimmed',
    level: 'corridor',
    summary: 'Kafka has dropped entries of {{ $labels.corridor }} that no worker had done.',
    runbook: 'KafkaDown',
    rules: [
      {
        severity: 'warning',
        when: () => 'max by (market, corridor) (risk_kafka_trimmed_partitions) > 0',
      },
    ],
  },
  {
    name: 'KeysUnfiltered',
    level: 'service',
    summary: 'Each claim looks for its keys in {{ $value }} slices of {{ $labels.instance }}.',
    rules: [
      { severity: 'info', when: () => 'risk_idempotency_slices_unfiltered > 0', lasts: 'hour' },
    ],
  },
  {
    name: 'LabelsUntold',
    level: 'service',
    summary: 'Profiles have not learnt of labels for {{ $value | humanizeDuration }}.',
    rules: [
      { severity: 'warning', when: () => 'max by (market) (risk_labels_untold_seconds) > 60' },
    ],
  },
];
