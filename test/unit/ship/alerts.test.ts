/**
 * Goal: the files of deploy are those of the alerts in src, and each alert can fire, is tested, and has a runbook. Whether
 * promtool and amtool take the files says `npm run deploy:check`.
 */
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/kit/metrics/metrics.ts';
import { ROOMS } from '../../../src/main/rooms.ts';
import { firesOf } from '../../support/alerts/cases/case.ts';
import { FILES } from '../../support/alerts/files.ts';
import { CASES } from '../../support/alerts/rule-tests.ts';
import { readAlerts, ruleFile, ruleKey, runbookAnchor } from '../../support/alerts/rules.ts';
import { readText } from '../ship/ship-files.ts';

const alerts = await readAlerts();

describe('files of deploy', () => {
  it.each(Object.entries(FILES))('%s is what the code says', async (path, text) => {
    await expect(await text()).toMatchFileSnapshot(`../../../${path}`);
  });
});

describe('alerts', () => {
  it('read metrics that exist', async () => {
    const { registry, make } = createMetrics();
    for (const room of ROOMS) room.metrics?.(make);
    const kinds = registry
      .getMetricsAsArray()
      .flatMap(({ name }) => [
        name,
        ...['bucket', 'count', 'sum'].map((part) => `${name}_${part}`),
      ]);
    const { groups } = await ruleFile(1);
    const rules = groups.flatMap((group) => group.rules);
    const recorded = rules.flatMap((rule) => ('record' in rule ? rule.record : []));
    const read = rules.flatMap(({ expr }) => expr.match(/\brisk[_:]\w+(?::\w+)*/g) ?? []);
    expect(read.length).toBeGreaterThan(100);
    expect(read.filter((name) => !kinds.includes(name) && !recorded.includes(name))).toEqual([]);
  });

  it('have names of their own, and rules that differ in their labels', () => {
    const names = alerts.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, rules } of alerts)
      expect(new Set(rules.map(ruleKey)).size, name).toBe(rules.length);
  });

  it('have a runbook each, of four parts', () => {
    const sections = new Map(
      readText('docs/runbooks.md')
        .split(/^### /m)
        .map((section) => [runbookAnchor({ name: section.split('\n')[0] ?? '' }), section]),
    );
    for (const alert of alerts) {
      const section = sections.get(runbookAnchor(alert)) ?? '';
      const parts = [...section.matchAll(/^- \*\*(\w+)[.]?\*\*/gm)].map(([, part]) => part);
      expect(parts, alert.name).toEqual(['First', 'Meaning', 'Fix', 'Escalate']);
      expect(section, alert.name).toMatch(new RegExp(String.raw`\b${alert.name}\b`));
    }
  });

  it('are tested: each rule fires in a case, and each alert is quiet in one', () => {
    for (const { name, rules } of alerts) {
      const cases = CASES.filter(({ alert }) => alert === name);
      const fired = new Set(cases.flatMap(firesOf));
      expect(
        rules.map(ruleKey).filter((key) => !fired.has(key)),
        name,
      ).toEqual([]);
      const isQuiet = cases.some((one) => firesOf(one).length === 0 || one.quietAt !== undefined);
      if (name !== 'BudgetLow') expect(isQuiet, name).toBe(true);
    }
  });

  it('have times of one table, so that a factor changes all of them', async () => {
    const texts = (file: Awaited<ReturnType<typeof ruleFile>>) =>
      file.groups.flatMap(({ rules }) =>
        rules.map((rule) => [rule.expr, 'for' in rule ? rule.for : '']),
      );
    const [shipped, proof] = [texts(await ruleFile(1)), texts(await ruleFile(1 / 60))];
    const times = (expr: string) => expr.match(/\[[^\]]+\]|offset \w+/g) ?? [];
    for (const [index, [expr = '']] of shipped.entries()) {
      const faster = times(proof[index]?.[0] ?? '');
      for (const [nth, time] of times(expr).entries()) expect(faster[nth]).not.toBe(time);
    }
    expect(shipped.flatMap(([expr = '']) => times(expr)).length).toBeGreaterThan(100);
  });
});
