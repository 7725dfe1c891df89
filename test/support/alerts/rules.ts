/** `deploy/prometheus/risk.rules.yml`: all alerts of the engine, as Prometheus reads them. */
import {
  type Alert,
  type AlertRule,
  type Recording,
  type Windows,
  windowsAt,
} from '../../../src/kit/alerts/alert.ts';
import { ROOMS } from '../../../src/main/rooms.ts';
import { BUDGETS, BURN_RATES } from '../../../src/rooms/status/alerts/alerts.ts';
import { COUNTS } from '../../../src/rooms/status/alerts/recordings.ts';

export async function readAlerts(): Promise<Alert[]> {
  return (await Promise.all(ROOMS.map(({ alerts }) => alerts?.() ?? []))).flat();
}

/** The anchor of an alert's runbook on the page `/docs/runbooks` of an API, and in docs/runbooks.md. */
export const runbookAnchor = ({ name, runbook = name }: Pick<Alert, 'name' | 'runbook'>) =>
  runbook
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');

/** The part of a rule's labels that no other rule of its alert has. */
export const ruleKey = ({ severity, scale, window }: AlertRule) =>
  [severity, scale ?? window ?? []].flat().join(' ');

export const labelsOf = (alert: Alert, { severity, scale, window }: AlertRule) => ({
  severity,
  level: alert.level,
  ...(scale === undefined ? {} : { scale }),
  ...(window === undefined ? {} : { window }),
});

export const annotationsOf = (alert: Alert) => ({
  summary: alert.summary,
  runbook_url: `/docs/runbooks#${runbookAnchor(alert)}`,
});

const recorded = (windows: Windows) => (recording: Recording) => ({
  record: recording.record,
  expr: recording.expression(windows),
  ...(recording.labels === undefined ? {} : { labels: recording.labels }),
});

const alertRules = (windows: Windows) => (alert: Alert) =>
  alert.rules.map((rule) => ({
    alert: alert.name,
    expr: rule.when(windows),
    ...(rule.lasts === undefined ? {} : { for: windows[rule.lasts] }),
    labels: labelsOf(alert, rule),
    annotations: annotationsOf(alert),
  }));

/** @param factor of every time; the shipped rules have 1 */
export async function ruleFile(factor: number) {
  const windows = windowsAt(factor);
  const alerts = await readAlerts();
  const isSeldom = ({ name }: Alert) => name === 'BudgetLow';
  return {
    groups: [
      {
        name: 'risk',
        interval: windows.scrape,
        rules: [
          ...[...COUNTS, ...BURN_RATES].map(recorded(windows)),
          ...alerts.filter((one) => !isSeldom(one)).flatMap(alertRules(windows)),
        ],
      },
      {
        name: 'risk-budgets',
        interval: windows.fiveMinutes,
        rules: [
          ...BUDGETS.map(recorded(windows)),
          ...alerts.filter(isSeldom).flatMap(alertRules(windows)),
        ],
      },
    ],
  };
}
