/** Which rule set decides, by the switches. */
import { namesStopped, RULE, type Switches } from '../domain/switch.ts';
import type { CompiledRuleSet } from './rules/compile-rule-set.ts';
import { withoutRules } from './rules/derived-rule-set.ts';
import { currentRuleSet } from './rules/rule-sets.ts';

export function rulesInForce(switches: Switches): CompiledRuleSet {
  return withoutRules(currentRuleSet, namesStopped(switches, RULE));
}

/** Derives the rule set once a reading of the switches. */
export function watchRules(current: () => Switches): () => CompiledRuleSet {
  let read: Switches | undefined;
  let ruleSet = currentRuleSet;
  return () => {
    const switches = current();
    if (switches !== read) ruleSet = rulesInForce(switches);
    read = switches;
    return ruleSet;
  };
}
