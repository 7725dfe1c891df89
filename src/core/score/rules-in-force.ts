/** Which rule set decides, by the switches. */
import { namesStopped, RULE, type Switches } from '../domain/switch.ts';
import type { CompiledRuleSet } from './rules/compile-rule-set.ts';
import { deriveRuleSet, UNCHANGED } from './rules/derived-rule-set.ts';
import { currentRuleSet } from './rules/rule-sets.ts';

export type RuleSetOf = () => CompiledRuleSet;

export function rulesInForce(switches: Switches): RuleSetOf {
  const without = namesStopped(switches, RULE);
  const ruleSet =
    without.length === 0
      ? currentRuleSet
      : deriveRuleSet(currentRuleSet, { ...UNCHANGED, without });
  return () => ruleSet;
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
