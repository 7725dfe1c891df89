/** Goal: names are offered and put where the caret is, and edited rules are as the API takes them. Method: texts and rules. */
import { expect, test } from 'vitest';
import {
  accept,
  complete,
  offsetOf,
  wordBefore,
} from '../../../console/src/rooms/rules/complete.ts';
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

const names = ['amount', 'amount_log', 'count_1h', 'sum_1h'].map((name) => ({
  ...{ name, type: 'number' as const, unit: 'units', description: 'A name.', values: null },
}));

test('the word before the caret finds names that begin with it, then those that have it inside', () => {
  expect(wordBefore('count_1h >= amo + 1', 15)).toBe('amo');
  expect(wordBefore('count_1h >= ', 12)).toBe('');
  expect(complete(names, 'am').map(({ name }) => name)).toEqual(['amount', 'amount_log']);
  expect(complete(names, '1h').map(({ name }) => name)).toEqual(['count_1h', 'sum_1h']);
  expect(complete(names, 'count_1h')).toEqual([]);
  expect(complete(names, 'is_m')[0]?.text).toBe('is_missing(');
});

test('a completion takes the place of the word, and the caret stands behind it', () => {
  const [first] = complete(names, 'am');
  expect(first && accept('am > 1', 2, first)).toEqual({ text: 'amount > 1', caret: 6 });
  expect(offsetOf('one\ntwo', 2, 3)).toBe(6);
});

test('a source names the types of the metadata fields that its rules read', () => {
  const fields = [{ ...names[0], name: 'metadata.tier', type: 'text' as const }];
  const rule = { ...newRule([]), when: 'metadata.tier == "gold" && metadata.other > 1' };
  const source = {
    ...{ version: 2, id: 'own@1', feature_schema: 3, rules: [] },
    verdicts: { all: { review: 500, decline: 800 } },
  };
  const read = withRules(source, [rule], fields as Parameters<typeof withRules>[2]);
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
