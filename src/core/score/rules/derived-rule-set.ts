/**
 * Rule sets without rules that people have switched off. The name says which, so a score of any age is explained and verified by
 * the name that it was stored with: `default@3-without-STRUCTURING`.
 */
import type { CompiledRuleSet } from './compile-rule-set.ts';

const WITHOUT = '-without-';
const CHANGES = /^(?:-without-[A-Z0-9_]+)+$/;

/** Rules that the base lacks are passed over. */
export function withoutRules(base: CompiledRuleSet, codes: readonly string[]): CompiledRuleSet {
  const isOff = ({ rule }: CompiledRuleSet['rules'][number]) => codes.includes(rule.reasonCode);
  const off = base.rules.filter(isOff).map(({ rule }) => WITHOUT + rule.reasonCode);
  if (off.length === 0) return base;
  const rules = base.rules.filter((one) => !isOff(one));
  return { ...base, id: base.id + off.sort().join(''), rules };
}

/** The derived rule set of that name; undefined where the base has no such rules, or the name is no derived one. */
export function parseDerived(base: CompiledRuleSet, name: string): CompiledRuleSet | undefined {
  const changes = name.startsWith(base.id) ? name.slice(base.id.length) : '';
  if (!CHANGES.test(changes)) return undefined;
  const derived = withoutRules(base, changes.split(WITHOUT).slice(1));
  return derived.id === name ? derived : undefined;
}
