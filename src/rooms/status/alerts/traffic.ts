/** Alerts on requests, queues and processes. */
import { type Alert, above, fresh, triggered, type Windows } from '../../../kit/alerts/alert.ts';
import { ERRORS_MIN, REQUESTS_MIN, THRESHOLDS } from '../../../kit/alerts/thresholds.ts';
import { age, depth, durations } from './recordings.ts';

const increase = (series: string, window: string, by = 'market') =>
  `sum by (${by}) (increase(${series}[${window}]))`;
const enough = ({ minute }: Windows) =>
  ` and ${increase('risk:requests:sum', minute)} >= ${REQUESTS_MIN}`;
const isLongerThan = (share: number, window: string, seconds: number) =>
  `${durations(share, window)} > ${seconds}`;
const errors = ({ fiveMinutes }: Windows) =>
  `${increase('risk:request_errors:sum', fiveMinutes)} / ${increase('risk:requests:sum', fiveMinutes)}`;
const moreErrors = (share: number) => (windows: Windows) =>
  `${errors(windows)} > ${share} and ${increase('risk:request_errors:sum', windows.fiveMinutes)} >= ${ERRORS_MIN}`;

const withRegion = (series: string) =>
  `label_replace(${series}, "region", "$1", "corridor", "(..)-..")`;
const given = (by: string, series: (name: string) => string) => {
  const dead = series('risk:dead_letters:sum');
  return `sum by (${by}) (${dead}) / (sum by (${by}) (${dead}) + (sum by (${by}) (${series('risk:scored:sum')}) or 0 * sum by (${by}) (${dead})))`;
};
const corridorErrors = ({ fiveMinutes }: Windows) =>
  given('market, corridor', (name) => `increase(${name}[${fiveMinutes}])`);
const regionErrors = ({ fiveMinutes }: Windows) =>
  given('market, region', (name) => withRegion(`increase(${name}[${fiveMinutes}])`));
const LATENCY = 'risk_score_latency_seconds_bucket';
const corridorLatency = ({ fiveMinutes }: Windows) =>
  `histogram_quantile(0.99, sum by (market, corridor, le) (rate(${LATENCY}[${fiveMinutes}])))`;
const regionLatency = ({ fiveMinutes }: Windows) =>
  `histogram_quantile(0.99, sum by (market, region, le) (${withRegion(`rate(${LATENCY}[${fiveMinutes}])`)}))`;
// A process that is busy misses scrapes, so its limit is the last one that it told.
const processor = (role: string) => (window: string) =>
  `avg by (market, role) (rate(risk_process_cpu_seconds_total{role="${role}"}[${window}]) / last_over_time(risk_processor_limit_cores[${window}]))`;

export const TRAFFIC_ALERTS: readonly Alert[] = [
  {
    name: 'HighAPILatency',
    level: 'service',
    summary: '95 % of the requests take up to {{ $value | humanizeDuration }}.',
    rules: [
      ...(['warning', 'critical'] as const).map((severity) => ({
        severity,
        when: (windows: Windows) =>
          isLongerThan(0.95, windows.minute, THRESHOLDS.api_p95_seconds[severity]) +
          enough(windows),
      })),
      triggered('HighAPILatency', 'warning', (window) => durations(0.95, window)),
    ],
  },
  {
    name: 'HighGlobalLatency',
    level: 'global',
    summary: '99 % of the requests take up to {{ $value | humanizeDuration }}.',
    runbook: 'HighAPILatency',
    rules: [['warning', 0.5] as const, ['critical', 1] as const].map(([severity, seconds]) => ({
      severity,
      when: (windows) => isLongerThan(0.99, windows.fiveMinutes, seconds) + enough(windows),
    })),
  },
  {
    name: 'ServerErrors',
    level: 'global',
    summary: '{{ $value | humanizePercentage }} of the requests fail.',
    rules: (['warning', 'critical'] as const).map((severity) => ({
      severity,
      when: moreErrors(THRESHOLDS.api_errors_ratio[severity]),
    })),
  },
  {
    name: 'RegionErrors',
    level: 'region',
    summary:
      '{{ $value | humanizePercentage }} of the transactions from {{ $labels.region }} are given up.',
    runbook: 'DeadLetters',
    rules: above(regionErrors, { warning: 0.02, critical: 0.1 }),
  },
  {
    name: 'RegionLatency',
    level: 'region',
    summary:
      'Scores of transactions from {{ $labels.region }} take up to {{ $value | humanizeDuration }} (p99).',
    runbook: 'CorridorLatency',
    rules: above(regionLatency, { warning: 0.75, critical: 2 }),
  },
  {
    name: 'CorridorErrors',
    level: 'corridor',
    summary:
      '{{ $value | humanizePercentage }} of the transactions of {{ $labels.corridor }} are given up.',
    runbook: 'DeadLetters',
    rules: above(corridorErrors, { warning: 0.02, critical: 0.1 }),
  },
  {
    name: 'CorridorLatency',
    level: 'corridor',
    summary: 'Scores of {{ $labels.corridor }} take up to {{ $value | humanizeDuration }} (p99).',
    rules: above(corridorLatency, { warning: 0.75, critical: 2 }),
  },
  {
    name: 'HighQueueDepth',
    level: 'service',
    summary: '{{ $value | humanize }} transactions wait for a worker.',
    rules: [
      ...above(({ minute }) => depth(minute), THRESHOLDS.queue_depth_transactions),
      triggered('HighQueueDepth', 'warning', depth),
    ],
  },
  {
    name: 'HighQueueAge',
    level: 'corridor',
    summary:
      'A transaction of {{ $labels.corridor }} has waited for {{ $value | humanizeDuration }}.',
    rules: [
      triggered('HighQueueAge', 'warning', age),
      {
        severity: 'critical',
        when: ({ minute }) => `${age(minute)} > ${THRESHOLDS.queue_age_seconds.critical}`,
      },
    ],
  },
  {
    name: 'LowQueueDepth',
    level: 'service',
    summary: 'Hardly anything waits: there may be more workers than needed.',
    rules: [triggered('LowQueueDepth', 'info', depth)],
  },
  {
    name: 'NoWorkers',
    level: 'service',
    summary: 'No worker of {{ $labels.market }} runs, or none is scraped.',
    rules: [
      {
        severity: 'critical',
        when: () =>
          'group by (market) (risk_degradation_level{role="api"}) unless group by (market) (risk_stream_lag_transactions{role="worker"})',
        lasts: 'minute',
      },
    ],
  },
  {
    name: 'NoAPI',
    level: 'service',
    summary: 'No API process of {{ $labels.market }} runs, or none is scraped.',
    rules: [
      {
        severity: 'critical',
        when: () =>
          'group by (market) (risk_degradation_level{role="worker"}) unless group by (market) (risk_degradation_level{role="api"})',
        lasts: 'minute',
      },
    ],
  },
  {
    name: 'ProcessSilent',
    level: 'service',
    summary: '{{ $labels.instance }} does not answer the scraper.',
    runbook: 'WorkerDeaf',
    rules: [{ severity: 'warning', when: () => 'up{job=~"risk-.+"} == 0', lasts: 'minute' }],
  },
  {
    name: 'AllSilent',
    level: 'global',
    summary: 'No process of the engine answers the scraper.',
    runbook: 'NoAPI',
    rules: [
      { severity: 'critical', when: () => 'absent(up{job=~"risk-.+"} == 1)', lasts: 'minute' },
    ],
  },
  {
    name: 'BusyWorkers',
    level: 'service',
    summary: 'Workers use {{ $value | humanizePercentage }} of their processors.',
    runbook: 'BusyWorkers, BusyAPI',
    rules: [triggered('BusyWorkers', 'warning', processor('worker'))],
  },
  {
    name: 'BusyAPI',
    level: 'service',
    summary: 'API processes use {{ $value | humanizePercentage }} of their processors.',
    runbook: 'BusyWorkers, BusyAPI',
    rules: [triggered('BusyAPI', 'warning', processor('api'))],
  },
  {
    name: 'LargeAPI',
    level: 'service',
    summary: '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory.',
    runbook: 'BusyWorkers, BusyAPI',
    rules: [
      triggered(
        'LargeAPI',
        'warning',
        (window) =>
          `avg_over_time(risk_process_resident_memory_bytes{role="api"}[${window}]) / risk_memory_limit_bytes`,
      ),
    ],
  },
  {
    name: 'CrowdedAPI',
    level: 'service',
    summary: 'An API process has {{ $value | humanize }} requests in flight.',
    runbook: 'BusyWorkers, BusyAPI',
    rules: [
      triggered(
        'CrowdedAPI',
        'warning',
        (window) =>
          `avg by (market) (avg_over_time(risk_http_requests_in_flight{role="api"}[${window}]))`,
      ),
    ],
  },
  {
    name: 'Shedding',
    level: 'global',
    summary: 'Requests are refused ({{ $labels.reason }}).',
    rules: [
      {
        severity: 'warning',
        when: ({ minute }) =>
          `sum by (market, reason) (rate(risk_http_requests_shed_total[${minute}])) > 0`,
        lasts: 'fiveMinutes',
      },
    ],
  },
  {
    name: 'DeadLetters',
    level: 'corridor',
    summary: 'Transactions of {{ $labels.corridor }} were given up.',
    rules: [{ severity: 'warning', when: fresh('risk:dead_letters:sum', 'market, corridor') }],
  },
  {
    name: 'RuleFails',
    level: 'service',
    summary: 'A rule throws, and does not count.',
    rules: [{ severity: 'warning', when: fresh('risk:rule_failures:sum') }],
  },
  {
    name: 'UnreadEntries',
    level: 'corridor',
    summary: 'Workers do not read the version of entries of {{ $labels.corridor }}.',
    rules: [{ severity: 'warning', when: fresh('risk_unread_entries_total', 'market, corridor') }],
  },
  {
    name: 'WorkerDeaf',
    level: 'service',
    summary: '{{ $labels.instance }} has read nothing for {{ $value | humanizeDuration }}.',
    rules: [
      {
        severity: 'warning',
        when: () => 'time() - (risk_reader_last_poll_timestamp_seconds{role="worker"} > 0) > 30',
      },
    ],
  },
  {
    name: 'WorkerPaused',
    level: 'service',
    summary: 'Workers hold their batches back ({{ $labels.code }}).',
    rules: [
      {
        severity: 'warning',
        when: ({ fiveMinutes }) =>
          `sum by (market, code) (increase(risk_worker_pauses_total[${fiveMinutes}])) > 0`,
        lasts: 'fiveMinutes',
      },
    ],
  },
];
