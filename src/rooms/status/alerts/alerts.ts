/** Alerts of core and kit, with the series that they read. */
import {
  type Alert,
  above,
  fresh,
  type Recording,
  type Severity,
  type WindowName,
  type Windows,
} from '../../../kit/alerts/alert.ts';
import { THRESHOLDS } from '../../../kit/alerts/thresholds.ts';
import { depth } from './recordings.ts';
import { TRAFFIC_ALERTS } from './traffic.ts';

const atLeast = (value: string, warning: number, critical: number) =>
  [['warning', warning] as const, ['critical', critical] as const].map(([severity, least]) => ({
    severity,
    when: () => `${value} >= ${least}`,
  }));

/** Alerts on Postgres, Redis, the replica and what they hold. */
const STORE_ALERTS: readonly Alert[] = [
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

/** A burn rate of 1 spends the budget in 30 days exactly. */
const BURNS = [
  { burn: 14.4, long: 'hour', short: 'fiveMinutes', severity: 'critical' },
  { burn: 6, long: 'sixHours', short: 'halfHour', severity: 'critical' },
  { burn: 3, long: 'day', short: 'twoHours', severity: 'warning' },
  { burn: 1, long: 'threeDays', short: 'sixHours', severity: 'warning' },
] as const satisfies readonly {
  readonly burn: number;
  readonly long: WindowName;
  readonly short: WindowName;
  readonly severity: Severity;
}[];

const burnOf = (window: WindowName) => `risk:slo_burn:rate_${window}`;

const OBJECTIVE_ALERTS: readonly Alert[] = [
  {
    name: 'BudgetBurns',
    level: 'global',
    summary: 'The error budget of the objective {{ $labels.slo }} burns too fast.',
    rules: BURNS.map(({ burn, long, short, severity }) => ({
      severity,
      // The long window says that it matters, the short one that it goes on.
      when: () => `${burnOf(long)} > ${burn} and ${burnOf(short)} > ${burn}`,
      window: long,
    })),
  },
  {
    name: 'BudgetLow',
    level: 'global',
    summary: 'Less than a tenth of the error budget of the objective {{ $labels.slo }} is left.',
    runbook: 'BudgetBurns',
    rules: [{ severity: 'info', when: () => 'risk:slo_budget_left:ratio < 0.1' }],
  },
];

type Objective = {
  readonly slo: string;
  /** Share that must be good. */
  readonly target: number;
  /** Share that is bad, by market. */
  readonly bad: (window: string) => string;
};

/** Queue depth that the objective of lag allows. */
const DEPTH_MAX = 5000;
const LAG_OVER = 'risk:lag_over:bool';

export const alerts: readonly Alert[] = [...OBJECTIVE_ALERTS, ...TRAFFIC_ALERTS, ...STORE_ALERTS];

const rate = (series: string, window: string) => `sum by (market) (rate(${series}[${window}]))`;
const ratio = (part: string, whole: string) => (window: string) =>
  `${rate(part, window)} / (${rate(whole, window)} > 0)`;
const late = (inTime: string, all: string) => (window: string) =>
  `1 - ${ratio(inTime, all)(window)}`;

/**
 * Service level objectives, how fast their error budgets burn, and the alerts on it: two windows each, so that an alert ends soon after its cause.
 */
export const OBJECTIVES: readonly Objective[] = [
  { slo: 'requests', target: 0.9995, bad: ratio('risk:request_errors:sum', 'risk:requests:sum') },
  { slo: 'reads', target: 0.99, bad: late('risk:reads_in_time:sum', 'risk:reads:sum') },
  { slo: 'scores', target: 0.95, bad: late('risk:scores_in_time:sum', 'risk:scores:sum') },
  {
    slo: 'lag',
    target: 0.999,
    bad: (window) => `avg_over_time(${LAG_OVER}[${window}])`,
  },
];

const burns = (window: WindowName): Recording[] =>
  OBJECTIVES.map(({ slo, target, bad }) => ({
    record: burnOf(window),
    labels: { slo },
    // The budget is rounded, as 1 - 0.9995 is not 0.0005.
    expression: (windows: Windows) =>
      `(${bad(windows[window])}) / ${Number((1 - target).toFixed(6))}`,
  }));

export const BURN_RATES: readonly Recording[] = [
  { record: LAG_OVER, expression: ({ minute }) => `${depth(minute)} > bool ${DEPTH_MAX}` },
  ...[...new Set(BURNS.flatMap(({ long, short }) => [long, short]))].flatMap(burns),
];

/** Evaluated seldom, as it reads a month. */
export const BUDGETS: readonly Recording[] = [
  ...burns('month'),
  { record: 'risk:slo_budget_left:ratio', expression: () => `1 - ${burnOf('month')}` },
];
