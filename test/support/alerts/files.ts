/** The files of `deploy` that are made of the cases of alerts. */
import { stringify } from 'yaml';
import { ruleTestFile } from './rule-tests.ts';

const HEAD =
  '# Made by test/support/alerts; `npx vitest run test/unit/ship --update` writes this file anew.\n';

export const toYaml = (value: unknown) =>
  HEAD + stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

export const FILES: Readonly<Record<string, () => string>> = {
  'deploy/prometheus/risk.rules.test.yml': () => toYaml(ruleTestFile('15s')),
  'deploy/prometheus/risk.rules.slow.test.yml': () => toYaml(ruleTestFile('1h')),
};
