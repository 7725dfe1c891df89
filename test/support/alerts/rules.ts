/** The rules of `deploy/prometheus/risk.rules.yml`, as data. */
import { parse } from 'yaml';
import { readText } from '../../unit/ship/ship-files.ts';
import { scaleTimes } from './scale.ts';

export type Recording = {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
};

export type AlertRule = {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string; readonly level: string } & Readonly<
    Record<string, string>
  >;
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
};

export type RuleFile = {
  readonly groups: readonly {
    readonly name: string;
    readonly interval: string;
    readonly rules: readonly (Recording | AlertRule)[];
  }[];
};

/** All rules of one name. */
export type Alert = { readonly name: string; readonly rules: readonly AlertRule[] };

/** @param factor of every time; the shipped rules have 1 */
export const ruleFile = (factor: number): RuleFile =>
  scaleTimes(parse(readText('deploy/prometheus/risk.rules.yml')) as RuleFile, factor);

export const readRules = () => ruleFile(1).groups.flatMap(({ rules }) => rules);

export function readAlerts(): Alert[] {
  const rules = readRules().filter((rule) => 'alert' in rule);
  return [...Map.groupBy(rules, ({ alert }) => alert)].map(([name, rules]) => ({ name, rules }));
}

/** The part of a rule's labels that no other rule of its alert has. */
export const ruleKey = ({ labels: { severity, scale, window } }: Pick<AlertRule, 'labels'>) =>
  [severity, scale ?? window ?? []].flat().join(' ');
