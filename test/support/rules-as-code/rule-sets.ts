/**
 * The rule sets of this build as they were while rules were code: the oracle of the rule sets that are data. Nothing of it is
 * the engine's but words of the domain, bands and the sentence of a factor.
 */
import { RULES } from './catalogue.ts';
import { type CompiledRuleSet, compileRuleSet } from './compile-rule-set.ts';
import { default1 } from './default-1.ts';
import { default2 } from './default-2.ts';
import { default3 } from './default-3.ts';

export const RULE_SETS_AS_CODE: readonly CompiledRuleSet[] = [default1, default2, default3].map(
  (ruleSet) => compileRuleSet(ruleSet, RULES),
);
