/** `deploy/prometheus/risk.rules.test.yml`: the cases of all alerts, as promtool runs them. */
import { type AlertCase, firesOf, MARKET } from './cases/case.ts';
import { MODEL_CASES } from './cases/models.ts';
import { PROCESS_CASES } from './cases/processes.ts';
import { REQUEST_CASES } from './cases/requests.ts';
import { ROOM_CASES } from './cases/rooms.ts';
import { STORE_CASES } from './cases/stores.ts';
import { type Alert, readAlerts, ruleKey } from './rules.ts';

export const CASES: readonly AlertCase[] = [
  ...REQUEST_CASES,
  ...PROCESS_CASES,
  ...STORE_CASES,
  ...MODEL_CASES,
  ...ROOM_CASES,
];

/** @param interval of samples and evaluations: a week of quarters of a minute would take minutes */
export function ruleTestFile(interval: '15s' | '1h') {
  const alerts = readAlerts();
  const cases = CASES.filter(({ isSlow = false }) => isSlow === (interval === '1h'));
  return {
    rule_files: ['risk.rules.yml'],
    evaluation_interval: interval,
    tests: cases.map((one) =>
      toTest(
        one,
        alerts.find(({ name }) => name === one.alert),
      ),
    ),
  };
}

function toTest(one: AlertCase, alert: Alert | undefined) {
  if (alert === undefined) throw new Error(`${one.alert} is no alert`);
  const at = (eval_time: string, exp_alerts: readonly object[]) => ({
    eval_time,
    alertname: one.alert,
    exp_alerts,
  });
  return {
    name: `${one.alert}: ${one.what}`,
    interval: one.isSlow === true ? '1h' : '15s',
    input_series: Object.entries(one.series).map(([series, values]) => ({ series, values })),
    alert_rule_test: [
      ...(one.quietAt === undefined ? [] : [at(one.quietAt, [])]),
      at(
        one.at ?? '3m',
        firesOf(one).map((key) => expected(one, alert, key)),
      ),
    ],
  };
}

function expected({ labels = MARKET, value = '' }: AlertCase, alert: Alert, key: string) {
  const rule = alert.rules.find((each) => ruleKey(each) === key);
  if (rule === undefined) throw new Error(`${alert.name} has no rule '${key}'`);
  const all: Readonly<Record<string, string>> = { ...labels, ...rule.labels };
  const summary = rule.annotations.summary
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => all[label] ?? '')
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, value);
  return { exp_labels: all, exp_annotations: { ...rule.annotations, summary } };
}
