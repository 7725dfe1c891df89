/** The rule sets of the build, and those that people derive of them. A rule set that ever decided stays unchanged. */
import { type CompiledRuleSet, compileOwn } from './compile-rule-set.ts';
import { default3 } from './default-3.ts';
import { default4 } from './default-4.ts';
import { parseDerived } from './derived-rule-set.ts';

/** Decides where people have rolled out none. */
export const currentRuleSet: CompiledRuleSet = compileOwn(default4);

/** The rule sets of the build, the newest first. Scores that an older one made are verified by it. */
export const BUILT_IN: readonly CompiledRuleSet[] = [currentRuleSet, compileOwn(default3)];

/** The data of a rule set of the build; undefined for another name. */
export const findBuiltIn = (id: string) => [default4, default3].find((data) => data.id === id);

/** Derived rule sets that stay compiled. Fewer: verification of scores that many people's changes made compiles them again. */
const DERIVED_MAX = 64;
const derived = new Map<string, CompiledRuleSet>();

/** The rule set of the build by the name stored with a score, derived ones among them; undefined for the name of another one. */
export function findRuleSet(id: string): CompiledRuleSet | undefined {
  const known = BUILT_IN.find((ruleSet) => ruleSet.id === id) ?? derived.get(id);
  if (known !== undefined) return known;
  for (const ruleSet of BUILT_IN) {
    const found = parseDerived(ruleSet, id);
    if (found === undefined) continue;
    if (derived.size === DERIVED_MAX) derived.clear();
    derived.set(id, found);
    return found;
  }
  return undefined;
}
