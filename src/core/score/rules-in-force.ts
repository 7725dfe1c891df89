/** The rule set that decides, by the switches. */
import { stricterValue } from '../domain/stricter.ts';
import { namesStopped, RULE, type Switches } from '../domain/switch.ts';
import type { CompiledRuleSet } from './rules/compile-rule-set.ts';
import { deriveRuleSet } from './rules/derived-rule-set.ts';
import { currentRuleSet } from './rules/rule-sets.ts';

export type RuleSetOf = (corridor: string) => CompiledRuleSet;

export function rulesInForce(switches: Switches): RuleSetOf {
  const without = namesStopped(switches, RULE);
  const ruleSets = new Map<string, CompiledRuleSet>();
  return (corridor) => {
    const known = ruleSets.get(corridor);
    if (known !== undefined) return known;
    const ruleSet = deriveRuleSet(currentRuleSet, {
      without,
      tightenedBy: stricterValue(switches, 'tighten', corridor) ?? 0,
      manualFrom: stricterValue(switches, 'manual', corridor) ?? null,
    });
    ruleSets.set(corridor, ruleSet);
    return ruleSet;
  };
}

/** Derives rule sets once a reading of the switches. */
export function watchRules(current: () => Switches): () => RuleSetOf {
  let read: Switches | undefined;
  let ruleSetOf: RuleSetOf;
  return () => {
    const switches = current();
    if (switches !== read) ruleSetOf = rulesInForce(switches);
    read = switches;
    return ruleSetOf;
  };
}
