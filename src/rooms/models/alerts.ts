/** Alerts on models, on what they read, and on labels. */
import { type Alert, above, fresh, type Windows } from '../../kit/alerts/alert.ts';

/** Intervals of the watch without one; fewer: the longest look within an interval is told as none. */
const INTERVALS_LATE = 3;
const CACHE = 'cache="folded_profiles"';
const rate = (series: string, window: string) => `sum by (market) (rate(${series}[${window}]))`;
/** Share of profiles that a worker or Redis had. */
const cacheHits = ({ fiveMinutes }: Windows) =>
  `1 - ${rate(`risk_cache_misses_total{${CACHE},tier="redis"}`, fiveMinutes)} / (${rate(`risk_cache_hits_total{${CACHE},tier="memory"}`, fiveMinutes)} + ${rate(`risk_cache_misses_total{${CACHE},tier="memory"}`, fiveMinutes)} > 0)`;
const missing = (when: string) =>
  `max by (market, model, feature) (risk_model_missing_ratio{when="${when}"})`;
const fraud = (kind: string) => `max by (market, model) (risk_model_fraud_ratio{kind="${kind}"})`;
const halved = (series: string, by: string, week: string) =>
  `max by (market, ${by}) (${series}) < 0.5 * max by (market, ${by}) (${series} offset ${week})`;
const warning = (when: (windows: Windows) => string) => ({ severity: 'warning', when }) as const;

export const alerts: readonly Alert[] = [
  {
    name: 'DeterminismFails',
    level: 'model',
    summary: 'A worker refused a model whose checks give another result there.',
    runbook: 'ModelOut',
    rules: [{ severity: 'critical', when: fresh('risk_model_checks_failed_total') }],
  },
  {
    name: 'ModelOut',
    level: 'model',
    summary: '{{ $labels.breaker }} does not decide.',
    rules: [
      warning(() => 'max by (market, breaker) (risk_breaker_state{breaker=~"model:.*"}) == 2'),
    ],
  },
  {
    name: 'RolledBack',
    level: 'model',
    summary: 'The engine rolled a model or a rule set of {{ $labels.corridor }} back.',
    runbook: 'ModelOut',
    rules: [
      warning(
        (windows) =>
          `${fresh('risk:model_rollbacks:sum', 'market, corridor')(windows)} or ${fresh('risk:rule_set_rollbacks:sum', 'market, corridor')(windows)}`,
      ),
    ],
  },
  {
    name: 'ModelLatency',
    level: 'model',
    summary: 'Calls of {{ $labels.model }} take up to {{ $value | humanizeDuration }} (p99).',
    rules: above(
      ({ fiveMinutes }) =>
        `histogram_quantile(0.99, sum by (market, model, le) (rate(risk_model_duration_seconds_bucket[${fiveMinutes}])))`,
      { warning: 0.1, critical: 0.5 },
    ),
  },
  {
    name: 'CacheMisses',
    level: 'model',
    summary: 'Only {{ $value | humanizePercentage }} of the profiles come from memory or Redis.',
    rules: [['warning', 0.8] as const, ['critical', 0.5] as const].map(([severity, share]) => ({
      severity,
      when: (windows) => `${cacheHits(windows)} < ${share}`,
      lasts: 'quarter',
    })),
  },
  {
    name: 'ModelDrift',
    level: 'model',
    summary:
      '{{ $labels.feature }} of {{ $labels.model }} has another distribution than in training.',
    rules: [['warning', 0.1, 'hour'] as const, ['critical', 0.25, 'quarter'] as const].map(
      ([severity, psi, lasts]) => ({
        severity,
        when: () => `max by (market, model, feature) (risk_model_psi) > ${psi}`,
        lasts,
      }),
    ),
  },
  {
    name: 'ModelInputsMissing',
    level: 'model',
    summary: '{{ $labels.feature }} is missing more often than in training.',
    rules: [warning(() => `${missing('now')} - ${missing('reference')} > 0.05`)],
  },
  {
    name: 'ModelOutcomes',
    level: 'model',
    summary: '{{ $labels.model }} predicts another share of frauds than was found.',
    rules: [
      warning(
        () =>
          `${fraud('seen')} / ${fraud('promised')} > 2 or ${fraud('seen')} / ${fraud('promised')} < 0.5`,
      ),
    ],
  },
  {
    name: 'ModelWorse',
    level: 'model',
    summary: 'Precision or recall of {{ $labels.model }} has halved within a week.',
    runbook: 'ModelOutcomes',
    rules: [
      warning(
        ({ week }) =>
          `${halved('risk_model_precision_ratio', 'model, bound', week)} or ${halved('risk_model_recall_ratio', 'model, bound', week)}`,
      ),
    ],
  },
  {
    name: 'LabelsLate',
    level: 'model',
    summary: 'Labels come later or more seldom than a week ago.',
    rules: [
      warning(
        ({ week }) =>
          `${halved('risk_model_labelled_ratio', 'model', week)} or max by (market, model) (risk_model_label_delay_seconds{quantile="p50"}) > 2 * max by (market, model) (risk_model_label_delay_seconds{quantile="p50"} offset ${week})`,
      ),
    ],
  },
  {
    name: 'WatchStale',
    level: 'model',
    summary: 'Nobody has watched the models for {{ $value | humanizeDuration }}.',
    rules: [
      {
        severity: 'warning',
        when: () =>
          `time() - max by (market) (risk_model_watched_timestamp_seconds > 0) > ${INTERVALS_LATE} * max by (market) (risk_model_watch_interval_seconds)`,
        // Looks that find nothing leave no row, so a worker that takes over knows none before its own, half a minute later.
        lasts: 'fiveMinutes',
      },
    ],
  },
];
