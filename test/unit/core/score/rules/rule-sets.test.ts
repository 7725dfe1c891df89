/** Goal: the rules of the build are named alike. Method: every rule. */
import { expect, test } from 'vitest';
import { CODE_MEASURES } from '../../../../../src/core/score/rules/code-measures.ts';
import { currentRuleSet } from '../../../../../src/core/score/rules/rule-sets.ts';

test('rules are at least twelve, with reason codes named after them', () => {
  expect(currentRuleSet.rules.length).toBeGreaterThanOrEqual(12);
  for (const { id, code } of currentRuleSet.rules) {
    expect(code).toBe(id.toUpperCase().replaceAll('-', '_'));
  }
});

test('each measure that is code is in use', () => {
  const codes = currentRuleSet.rules.flatMap(({ data: { measure } }) =>
    typeof measure === 'object' ? measure.code : [],
  );
  expect([...new Set(codes)]).toEqual([...CODE_MEASURES.keys()]);
});
