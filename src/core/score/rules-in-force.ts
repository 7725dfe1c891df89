/** The rule set that decides, by the switches. */
import { manualOf, tightenedBy } from '../domain/stricter.ts';
import { namesStopped, RULE, type Switches } from '../domain/switch.ts';
import type { CompiledRuleSet } from './rules/compile-rule-set.ts';
import { deriveRuleSet } from './rules/derived-rule-set.ts';
import { currentRuleSet } from './rules/rule-sets.ts';

export type RuleSetOf = (corridor: string, currency: string) => CompiledRuleSet;

export function rulesInForce(switches: Switches): RuleSetOf {
  const without = namesStopped(switches, RULE);
  const ofCorridors = new Map<string, (currency: string) => CompiledRuleSet>();
  const deriveFor = (corridor: string) => {
    const change = { without, tightenedBy: tightenedBy(switches, corridor) };
    const manual = manualOf(switches, corridor);
    if (manual === undefined) {
      const ruleSet = deriveRuleSet(currentRuleSet, { ...change, manualFrom: null });
      return () => ruleSet;
    }
    const ruleSets = new Map<string, CompiledRuleSet>();
    return (currency: string) => {
      const known = ruleSets.get(currency);
      if (known !== undefined) return known;
      const manualFrom = manual(currency);
      const ruleSet = deriveRuleSet(currentRuleSet, { ...change, manualFrom });
      ruleSets.set(currency, ruleSet);
      return ruleSet;
    };
  };
  return (corridor, currency) => {
    let ruleSetOf = ofCorridors.get(corridor);
    if (ruleSetOf === undefined) {
      ruleSetOf = deriveFor(corridor);
      ofCorridors.set(corridor, ruleSetOf);
    }
    return ruleSetOf(currency);
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
