/**
 * The rule sets this build knows: one decides, the others explain and verify scores of their time. A rule set
 * that ever decided stays here unchanged.
 */
import { type CompiledRuleSet, compileOwn } from './compile-rule-set.ts';
import { parseDerived } from './derived-rule-set.ts';
import type { RuleSetData } from './rule-set-data.ts';
import { default1 } from './rule-sets/default-1.ts';
import { default2 } from './rule-sets/default-2.ts';
import { default3 } from './rule-sets/default-3.ts';

/** The rule set that decides. */
export const currentRuleSet: CompiledRuleSet = compileOwn(default3);

export const RULE_SETS: readonly CompiledRuleSet[] = [
  currentRuleSet,
  compileOwn(default2),
  compileOwn(default1),
];

/** The data of a rule set of this build, which people may begin with. */
export const findOwnSource = (id: string): RuleSetData | undefined =>
  [default3, default2, default1].find((data) => data.id === id);

/** Derived rule sets that stay compiled. Fewer: verification of scores that many people's changes made compiles them again. */
const DERIVED_MAX = 64;
const derived = new Map<string, CompiledRuleSet>();

/** The rule set by the name stored with a score, derived ones among them. */
export function findRuleSet(id: string): CompiledRuleSet | undefined {
  const known = RULE_SETS.find((ruleSet) => ruleSet.id === id) ?? derived.get(id);
  if (known !== undefined) return known;
  for (const base of RULE_SETS) {
    const found = parseDerived(base, id);
    if (found === undefined) continue;
    if (derived.size === DERIVED_MAX) derived.clear();
    derived.set(id, found);
    return found;
  }
  return undefined;
}
