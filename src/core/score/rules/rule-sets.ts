/** The rule set of the build, and those that people derive of it. A rule set that ever decided stays unchanged. */
import { type CompiledRuleSet, compileOwn } from './compile-rule-set.ts';
import { default3 } from './default-3.ts';
import { parseDerived } from './derived-rule-set.ts';

/** Decides where people have rolled out none. */
export const currentRuleSet: CompiledRuleSet = compileOwn(default3);

/** Derived rule sets that stay compiled. Fewer: verification of scores that many people's changes made compiles them again. */
const DERIVED_MAX = 64;
const derived = new Map<string, CompiledRuleSet>();

/** The rule set of the build by the name stored with a score, derived ones among them; undefined for the name of another one. */
export function findRuleSet(id: string): CompiledRuleSet | undefined {
  const known = id === currentRuleSet.id ? currentRuleSet : derived.get(id);
  if (known !== undefined) return known;
  const found = parseDerived(currentRuleSet, id);
  if (found === undefined) return undefined;
  if (derived.size === DERIVED_MAX) derived.clear();
  derived.set(id, found);
  return found;
}
