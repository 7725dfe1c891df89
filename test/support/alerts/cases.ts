/** The cases of all alerts: series that make an alert fire at one time, and not at another, as promtool runs them. */
import { parse } from 'yaml';
import { readText } from '../../unit/ship/ship-files.ts';
import type { AlertRule } from './rules.ts';

/** The second file has samples of hours: a week of quarters of a minute would take minutes. */
export const CASE_FILES = ['risk.rules.test.yml', 'risk.rules.slow.test.yml'] as const;

/** Alerts of one name that fire at a time. */
export type Moment = {
  readonly alertname: string;
  readonly exp_alerts: readonly {
    readonly exp_labels: AlertRule['labels'];
    readonly exp_annotations: AlertRule['annotations'];
  }[];
};
type Case = { readonly name: string; readonly alert_rule_test: readonly Moment[] };

export function readMoments(): Moment[] {
  const files = CASE_FILES.map((name) => parse(readText(`deploy/prometheus/${name}`)));
  const cases = files.flatMap(({ tests }: { tests: readonly Case[] }) => tests);
  return cases.flatMap((one) => one.alert_rule_test);
}
