import { describe, expect, test } from 'vitest';
import { RULES } from '../../../../../src/core/score/rules/catalogue.ts';
import { compileRuleSet } from '../../../../../src/core/score/rules/compile-rule-set.ts';
import type { RuleSet, RuleSettings } from '../../../../../src/core/score/rules/rule.ts';
import { default1 } from '../../../../../src/core/score/rules/rule-sets/default-1.ts';
import { default3 } from '../../../../../src/core/score/rules/rule-sets/default-3.ts';
import { currentRuleSet, findRuleSet } from '../../../../../src/core/score/rules/rule-sets.ts';

const limit: RuleSettings = {
  rule: 'amount-over-limit',
  bounds: {},
  bands: [{ from: 1, weight: 0.5 }],
};

function ruleSetOf(...rules: RuleSettings[]): RuleSet {
  return { ...default1, rules };
}

describe('compileRuleSet', () => {
  test('takes the deciding rule set with every rule, in the order of the registry', () => {
    const compiled = compileRuleSet(default3, RULES);
    expect(compiled.rules.map(({ rule }) => rule)).toEqual(RULES);
    expect(compiled.featureSchema).toBe(3);
  });

  test('leaves out what the rule set does not list', () => {
    expect(compileRuleSet(ruleSetOf(limit), RULES).rules).toHaveLength(1);
  });

  test.each<[string, RuleSet, RegExp]>([
    ['an unknown rule', ruleSetOf({ ...limit, rule: 'none' }), /rule none is unknown/],
    ['a rule listed twice', ruleSetOf(limit, limit), /listed twice/],
    ['no bands', ruleSetOf({ ...limit, bands: [] }), /has no bands/],
    [
      'a weight above 1',
      ruleSetOf({ ...limit, bands: [{ from: 1, weight: 1.1 }] }),
      /outside 0\.\.1/,
    ],
    [
      'a NaN bound of a band',
      ruleSetOf({ ...limit, bands: [{ from: Number.NaN, weight: 0.1 }] }),
      /begins nowhere/,
    ],
    [
      'bands that fall',
      ruleSetOf({
        ...limit,
        bands: [
          { from: 1, weight: 0.5 },
          { from: 2, weight: 0.4 },
        ],
      }),
      /do not rise/,
    ],
    ['an unwanted bound', ruleSetOf({ ...limit, bounds: { more: 1 } }), /has bounds \(more\)/],
    ['a missing bound', ruleSetOf({ ...limit, rule: 'structuring' }), /needs \(nearLimit\)/],
    ['verdicts that fall', { ...default1, verdicts: { review: 900, decline: 800 } }, /verdicts/],
  ])('refuses %s', (_, ruleSet, problem) => {
    expect(() => compileRuleSet(ruleSet, RULES)).toThrow(problem);
  });
});

describe('findRuleSet', () => {
  test('knows the current one by the name stored with a score', () => {
    expect(findRuleSet('default@3')).toBe(currentRuleSet);
    expect(findRuleSet('default@2')?.id).toBe('default@2');
    expect(findRuleSet('default@1')?.id).toBe('default@1');
    expect(findRuleSet('default@0')).toBeUndefined();
  });
});
