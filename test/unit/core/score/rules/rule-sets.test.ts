/** Goal: the rules of this build are named alike. Method: every rule of every rule set. */
import { expect, test } from 'vitest';
import { CODE_MEASURES } from '../../../../../src/core/score/rules/code-measures.ts';
import { currentRuleSet, RULE_SETS } from '../../../../../src/core/score/rules/rule-sets.ts';

test('rules are at least twelve, with reason codes named after them', () => {
  expect(currentRuleSet.rules.length).toBeGreaterThanOrEqual(12);
  for (const { id, code } of RULE_SETS.flatMap(({ rules }) => rules)) {
    expect(code).toBe(id.toUpperCase().replaceAll('-', '_'));
  }
});

test('each measure that is code is in use', () => {
  const codes = RULE_SETS.flatMap(({ rules }) =>
    rules.flatMap(({ data: { measure } }) => (typeof measure === 'object' ? measure.code : [])),
  );
  expect([...new Set(codes)]).toEqual([...CODE_MEASURES.keys()]);
});
