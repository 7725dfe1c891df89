/**
 * Goal: each alert of deploy can fire, is tested, has a runbook, and compares with the numbers that the engine acts on. Whether
 * promtool and amtool take the files says `npm run deploy:check`.
 */
import { describe, expect, it } from 'vitest';
import { TRIGGERS } from '../../../src/rooms/operate/scaling/triggers.ts';
import {
  ERRORS_MIN,
  PROBES,
  REQUESTS_MIN,
  THRESHOLDS,
} from '../../../src/rooms/status/queries/live-figures.ts';
import { readMoments } from '../../support/alerts/cases.ts';
import {
  type AlertRule,
  type RuleFile,
  readAlerts,
  readRules,
  ruleFile,
  ruleKey,
} from '../../support/alerts/rules.ts';
import { toDuration } from '../../support/alerts/scale.ts';
import { readExpression } from '../../support/dashboards.ts';
import { readCatalogue } from '../../support/metric-catalogue.ts';
import { readText } from '../ship/ship-files.ts';

const alerts = readAlerts();
const rules = readRules();
const rulesOf = (name: string) => alerts.find((alert) => alert.name === name)?.rules ?? [];
const timesOf = (expr: string) => expr.match(/\[[^\]]+\]|offset \w+/g) ?? [];
/** The first comparison with a number, as `> 0.2`. */
const comparison = ({ expr }: AlertRule) => /[<>] [\d.]+/.exec(expr)?.[0];

describe('numbers of alerts', () => {
  it.each([
    ['api_p95_seconds', 'HighAPILatency'],
    ['api_errors_ratio', 'ServerErrors'],
    ['queue_depth_transactions', 'HighQueueDepth'],
    ['queue_age_seconds', 'HighQueueAge'],
    ['database_connections_ratio', 'Connections'],
  ] as const)('%s has the thresholds of the console in %s', (name, alert) => {
    for (const severity of ['warning', 'critical'] as const) {
      const same = rulesOf(alert).filter((rule) => rule.labels.severity === severity);
      const rule = same.find(({ labels }) => labels['scale'] === undefined) ?? same[0];
      expect(rule && comparison(rule)).toBe(`> ${THRESHOLDS[name][severity]}`);
    }
  });

  it('have the least requests and errors of the console, and no request of a probe', () => {
    const least = (name: string) => rulesOf(name).map(({ expr }) => />= (\d+)$/.exec(expr)?.[1]);
    expect(least('HighAPILatency')).toEqual([`${REQUESTS_MIN}`, `${REQUESTS_MIN}`, undefined]);
    expect(least('HighGlobalLatency')).toEqual([`${REQUESTS_MIN}`, `${REQUESTS_MIN}`]);
    expect(least('ServerErrors')).toEqual([`${ERRORS_MIN}`, `${ERRORS_MIN}`]);
    const routes = rules.flatMap(({ expr }) => expr.match(/route!~"[^"]*/g) ?? []);
    expect(routes.length).toBeGreaterThan(5);
    for (const route of routes) expect(route).toContain(`"${PROBES.join('|')}`);
  });

  it('are those of the triggers, in each rule that asks for more or fewer processes', () => {
    // DeepQueue and SlowAPI act sooner than the alert on the same measure, and have no alert.
    const silent: readonly string[] = ['DeepQueue', 'SlowAPI'];
    const expected = TRIGGERS.filter(({ name }) => !silent.includes(name)).map((trigger) => ({
      name: trigger.name,
      scale: `${trigger.role} ${trigger.add ? 'up' : 'down'}`,
      compares: `${trigger.add ? '>' : '<'} ${trigger.threshold}`,
      window: [`[${toDuration(trigger.windowSeconds)}]`],
      for: trigger.forSeconds === 0 ? undefined : toDuration(trigger.forSeconds),
    }));
    const scaled = alerts.flatMap((alert) =>
      alert.rules.flatMap((rule) => {
        const { scale } = rule.labels;
        const window = [...new Set(timesOf(rule.expr))];
        const told = { name: alert.name, compares: comparison(rule), window, for: rule.for };
        return scale === undefined ? [] : [{ ...told, scale }];
      }),
    );
    const sorted = (list: readonly { readonly name: string }[]) =>
      list.toSorted((a, b) => a.name.localeCompare(b.name));
    expect(sorted(scaled)).toEqual(sorted(expected));
  });

  it('divide the bad share by one budget per objective, over the window of the record', () => {
    const burns = rules.filter((rule) => 'record' in rule && rule.labels !== undefined);
    const shares = Map.groupBy(burns, ({ labels }) => labels?.['slo']);
    const windows = Map.groupBy(burns, (rule) => ('record' in rule ? rule.record : ''));
    const texts = (list: typeof burns, part: (expr: string) => readonly string[]) =>
      new Set(list.flatMap(({ expr }) => part(expr)));
    for (const [slo, list] of shares)
      expect(texts(list, (expr) => [expr.replaceAll(/\[\w+\]/g, '')]).size, slo).toBe(1);
    for (const [record, list] of windows) expect(texts(list, timesOf).size, record).toBe(1);
    expect([shares.size, windows.size]).toEqual([4, 8]);
  });
});

describe('alerts', () => {
  it('read metrics that exist, in PromQL', () => {
    const catalogue = readCatalogue();
    const recorded = rules.flatMap((rule) => ('record' in rule ? rule.record : []));
    const read = rules.map(({ expr }) => readExpression(expr));
    const metrics = read.flatMap((expression) => expression.metrics);
    expect(read.flatMap(({ problems }) => problems)).toEqual([]);
    expect(metrics.length).toBeGreaterThan(100);
    const unknown = metrics.filter((name) => !catalogue.get(catalogue.baseOf(name)));
    expect(unknown.filter((name) => name !== 'up' && !recorded.includes(name))).toEqual([]);
  });

  it('have rules that differ in their labels, and say the same', () => {
    for (const { name, rules } of alerts) {
      expect(new Set(rules.map(ruleKey)).size, name).toBe(rules.length);
      for (const { labels, annotations } of rules) {
        expect(labels.severity, name).toMatch(/^(critical|warning|info)$/);
        expect(labels.level, name).toMatch(/^(global|region|corridor|service|model)$/);
        expect(labels.level, name).toBe(rules[0]?.labels.level);
        expect(annotations, name).toEqual(rules[0]?.annotations);
      }
    }
  });

  it('have a runbook each, of four parts', () => {
    const anchor = (heading = '') =>
      heading
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-');
    const sections = new Map(
      readText('docs/runbooks.md')
        .split(/^### /m)
        .map((section) => [`/docs/runbooks#${anchor(section.split('\n')[0])}`, section]),
    );
    for (const { name, rules } of alerts) {
      const section = sections.get(rules[0]?.annotations.runbook_url ?? '') ?? '';
      const parts = [...section.matchAll(/^- \*\*(\w+)[.]?\*\*/gm)].map(([, part]) => part);
      expect(parts, name).toEqual(['First', 'Meaning', 'Fix', 'Escalate']);
      expect(section, name).toMatch(new RegExp(String.raw`\b${name}\b`));
    }
  });

  it('are tested: each rule fires in a case, and each alert is quiet in one', () => {
    const moments = readMoments();
    for (const { name, rules } of alerts) {
      const own = moments.filter(({ alertname }) => alertname === name);
      const fired = own.flatMap((moment) => moment.exp_alerts);
      const tested = rules.map((rule) => ({
        rule,
        fires: fired.filter((one) => ruleKey({ labels: one.exp_labels }) === ruleKey(rule)),
      }));
      expect(
        tested.flatMap(({ rule, fires }) => (fires.length === 0 ? ruleKey(rule) : [])),
        name,
      ).toEqual([]);
      expect(tested.flatMap(({ fires }) => fires).length, name).toBe(fired.length);
      for (const { rule, fires } of tested)
        for (const { exp_labels: labels, exp_annotations: annotations } of fires) {
          expect(labels, name).toMatchObject(rule.labels);
          expect(annotations.runbook_url, name).toBe(rule.annotations.runbook_url);
          for (const words of rule.annotations.summary.split(/\{\{[^}]*\}\}/))
            expect(annotations.summary, name).toContain(words);
        }
      if (name !== 'BudgetLow')
        expect(
          own.map((moment) => moment.exp_alerts.length),
          name,
        ).toContain(0);
    }
  });

  it('have times that a factor changes, all of them', () => {
    const times = ({ groups }: RuleFile) =>
      groups.flatMap(({ interval, rules }) => [
        interval,
        ...rules
          .flatMap((rule) => [timesOf(rule.expr), 'for' in rule ? (rule.for ?? []) : []])
          .flat(),
      ]);
    const [shipped, proof] = [times(ruleFile(1)), times(ruleFile(1 / 60))];
    expect(shipped.length).toBeGreaterThan(100);
    expect(shipped.filter((time, nth) => time === proof[nth])).toEqual([]);
  });
});
