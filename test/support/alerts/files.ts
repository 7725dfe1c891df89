/** The files of `deploy` that are made of the alerts. */
import { stringify } from 'yaml';
import { alertmanagerFile, SHIPPED } from './prometheus.ts';
import { ruleTestFile } from './rule-tests.ts';
import { ruleFile } from './rules.ts';

const HEAD =
  '# Made from src by test/support/alerts; `npx vitest run test/unit/ship --update` writes this file anew.\n';

export const toYaml = (value: unknown) =>
  HEAD + stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

export const FILES: Readonly<Record<string, () => Promise<string>>> = {
  'deploy/prometheus/risk.rules.yml': async () => toYaml(await ruleFile(1)),
  'deploy/prometheus/risk.rules.test.yml': async () => toYaml(await ruleTestFile('15s')),
  'deploy/prometheus/risk.rules.slow.test.yml': async () => toYaml(await ruleTestFile('1h')),
  'deploy/alertmanager/alertmanager.yml': async () =>
    toYaml(alertmanagerFile(SHIPPED.alertmanager)),
};
