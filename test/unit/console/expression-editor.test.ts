/** Goal: edited rules are as the API takes them. Method: rules; test/console types them. */
import { expect, test } from 'vitest';
import {
  changeRule,
  effectText,
  newRule,
  problemsOfRule,
  toPoints,
  toWeight,
  withEffect,
  withRules,
} from '../../../console/src/rooms/rules/source.ts';

test('a source names the types of the metadata fields that its rules read', () => {
  const fields = [
    { name: 'metadata.tier', type: 'text', unit: '', description: 'A name.', values: null },
  ] as const;
  const rule = { ...newRule([]), when: 'metadata.tier == "gold" && metadata.other > 1' };
  const source = {
    ...{ version: 2, id: 'own@1', feature_schema: 3, rules: [] },
    verdicts: { all: { review: 500, decline: 800 } },
  };
  const read = withRules(source, [rule], fields);
  expect(read.metadata).toEqual({ tier: 'text' });
  // A field that is withdrawn since stays named.
  expect(withRules(read, [rule, newRule([rule])], []).metadata).toEqual({ tier: 'text' });
  expect(withRules(read, [newRule([])], [])).toEqual({ ...source, rules: [newRule([])] });
});

test('a rule has the members of its effect alone', () => {
  const rule = newRule([]);
  expect(newRule([rule]).id).toBe('new-rule-2');
  expect(Object.keys(withEffect(rule, 'verdict'))).not.toContain('weight');
  const banded = withEffect(withEffect(rule, 'verdict'), 'bands');
  expect([banded.verdict, banded.bands?.length]).toEqual([undefined, 1]);
  expect(changeRule({ ...rule, policy: true }, { policy: undefined })).toEqual(rule);
  expect(effectText({ ...rule, weight: 0.6533 })).toBe('653.3');
  expect(toWeight(toPoints(0.123_456))).toBe(0.123_456);
});

test('a problem is of the rule that its pointer names', () => {
  const at = (pointer: string) => ({
    ...{ pointer, detail: 'wrong', line: null, column: null, found: null, allowed: null },
  });
  const problems = [at('/rules/1/when'), at('/rules/11/when'), at('/verdicts/all')];
  expect(problemsOfRule(problems, 1)).toEqual([at('/when')]);
});
