/**
 * The rule sets this build knows: one decides, the others explain and verify scores of their time. A rule set
 * that ever decided stays here unchanged.
 */
import { RULES } from './catalogue.ts';
import { type CompiledRuleSet, compileRuleSet } from './compile-rule-set.ts';
import { default1 } from './rule-sets/default-1.ts';
import { default2 } from './rule-sets/default-2.ts';
import { default3 } from './rule-sets/default-3.ts';

/** The rule set that decides. */
export const currentRuleSet: CompiledRuleSet = compileRuleSet(default3, RULES);

export const RULE_SETS: readonly CompiledRuleSet[] = [
  currentRuleSet,
  compileRuleSet(default2, RULES),
  compileRuleSet(default1, RULES),
];

const KNOWN: ReadonlyMap<string, CompiledRuleSet> = new Map(
  RULE_SETS.map((ruleSet) => [ruleSet.id, ruleSet]),
);

/** The rule set by the name stored with a score. */
export function findRuleSet(id: string): CompiledRuleSet | undefined {
  return KNOWN.get(id);
}
