/** The configuration of Prometheus, and who must hear of an alert. */
import { toDuration } from './scale.ts';

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
