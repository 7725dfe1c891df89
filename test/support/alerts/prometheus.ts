/** Configurations of Prometheus and of Alertmanager. */
import { toDuration } from './scale.ts';

/** Critical wakes somebody, a warning is looked at today, information is read when there is time. */
export const SEVERITIES = ['critical', 'warning', 'info'] as const;
type Severity = (typeof SEVERITIES)[number];

/** Between two scrapes, and between two evaluations of rules. */
const SCRAPE_SECONDS = 15;

type PrometheusOptions = {
  readonly factor: number;
  readonly ruleFile: string;
  readonly alertmanager: string;
  readonly apis: readonly string[];
  readonly workers: readonly string[];
  /** File with a key that may read metrics. */
  readonly keyFile: string;
};

/** Configuration of the proof; an installation has deploy/prometheus/prometheus.yml. Jobs have the names that rules and dashboards ask for. */
export function prometheusFile(options: PrometheusOptions) {
  const { factor, ruleFile, alertmanager, apis, workers, keyFile } = options;
  const scrape = toDuration(SCRAPE_SECONDS * factor);
  const targets = (list: readonly string[]) => [{ targets: list }];
  return {
    global: { scrape_interval: scrape, scrape_timeout: scrape, evaluation_interval: scrape },
    rule_files: [ruleFile],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
    scrape_configs: [
      {
        job_name: 'risk-api',
        authorization: { credentials_file: keyFile },
        static_configs: targets(apis),
      },
      { job_name: 'risk-worker', static_configs: targets(workers) },
    ],
  };
}

/** A receiver that hears of one market or corridor, besides those who hear of everything. */
export type Owner =
  | { readonly receiver: string; readonly market: string }
  | { readonly receiver: string; readonly corridor: string };

type RoutingOptions = {
  readonly factor: number;
  readonly owners: readonly Owner[];
  /** Where a receiver takes its alerts. */
  readonly urlOf: (receiver: string) => string;
};

/** How soon a severity is sent, and how soon again while it fires. */
const TIMES: Readonly<Record<Severity, { readonly group_wait: number; readonly repeat: number }>> =
  {
    critical: { group_wait: 10, repeat: 3600 },
    warning: { group_wait: 30, repeat: 4 * 3600 },
    info: { group_wait: 300, repeat: 24 * 3600 },
  };
const GROUP_INTERVAL_SECONDS = 60;
/** Two alerts of one thing, of which the stricter one is enough. */
const SAME = ['alertname', 'market', 'corridor', 'breaker', 'model', 'instance', 'slo'];

/** An owner hears of what is critical or a warning first, and the receiver of the severity hears of it, too. */
export function alertmanagerFile({ factor, owners, urlOf }: RoutingOptions) {
  const duration = (seconds: number) => toDuration(seconds * factor);
  const receivers = [...SEVERITIES, ...new Set(owners.map(({ receiver }) => receiver))];
  return {
    route: {
      receiver: 'warning',
      group_by: ['alertname', 'market', 'corridor'],
      group_wait: duration(TIMES.warning.group_wait),
      group_interval: duration(GROUP_INTERVAL_SECONDS),
      repeat_interval: duration(TIMES.warning.repeat),
      routes: [
        ...owners.map(({ receiver, ...match }) => ({
          receiver,
          matchers: [...matchersOf(match), 'severity=~"critical|warning"'],
          continue: true,
        })),
        ...SEVERITIES.map((severity) => ({
          receiver: severity,
          matchers: [`severity="${severity}"`],
          group_wait: duration(TIMES[severity].group_wait),
          repeat_interval: duration(TIMES[severity].repeat),
        })),
      ],
    },
    inhibit_rules: [
      {
        source_matchers: ['severity="critical"'],
        target_matchers: ['severity=~"warning|info"'],
        equal: SAME,
      },
      // Without a worker everything waits, and each corridor would say so.
      {
        source_matchers: ['alertname="NoWorkers"'],
        target_matchers: ['alertname=~"HighQueueDepth|HighQueueAge"'],
        equal: ['market'],
      },
    ],
    receivers: receivers.map((name) => ({
      name,
      webhook_configs: [{ url: urlOf(name), send_resolved: true }],
    })),
  };
}

const matchersOf = (match: Readonly<Record<string, string>>) =>
  Object.entries(match).map(([label, value]) => `${label}="${value}"`);

/** Addresses and owners of the shipped files are an example, to be replaced. */
export const SHIPPED = {
  alertmanager: {
    factor: 1,
    owners: [
      { receiver: 'market-market_1', market: 'market_1' },
      { receiver: 'corridor-US-EG', corridor: 'US-EG' },
    ],
    urlOf: (receiver: string) => `http://pager:9099/${receiver}`,
  },
} as const;

/** Labels of an alert, with the receivers that must get it. */
export const ROUTES: readonly (readonly [Readonly<Record<string, string>>, readonly string[]])[] = [
  [{ severity: 'critical', market: 'market_0' }, ['critical']],
  [{ severity: 'warning', market: 'market_0' }, ['warning']],
  [{ severity: 'info', market: 'market_0' }, ['info']],
  [{ severity: 'critical', market: 'market_1' }, ['market-market_1', 'critical']],
  [{ severity: 'info', market: 'market_1' }, ['info']],
  [{ severity: 'warning', market: 'market_0', corridor: 'US-EG' }, ['corridor-US-EG', 'warning']],
  [{ severity: 'warning', market: 'market_0', corridor: 'GB-NG' }, ['warning']],
  [
    { severity: 'critical', market: 'market_1', corridor: 'US-EG' },
    ['market-market_1', 'corridor-US-EG', 'critical'],
  ],
  [{ alertname: 'of somebody else' }, ['warning']],
];
