/** Goal: a rule set that is wrong is told all of it, and one that is right becomes what its data say. */
import { describe, expect, test } from 'vitest';
import { compileRuleSet } from '../../../../../src/core/score/rules/compile-rule-set.ts';
import { default3 } from '../../../../../src/core/score/rules/default-3.ts';
import type { RuleData } from '../../../../../src/core/score/rules/rule-set-data.ts';
import { processorMsOf } from '../../../../support/processor-time.ts';
import { makeVector } from '../vector.ts';

const named = { id: 'limit', code: 'LIMIT', sentence: 'The amount is large.' };
const limit: RuleData = {
  ...named,
  measure: 'amount_to_limit',
  bands: [{ from: 1, weight: 0.5 }],
};
const ruleSetOf = (...rules: readonly object[]) => ({ ...default3, id: 'own@1', rules });
const problemsOf = (source: unknown) => {
  const compiled = compileRuleSet(source);
  return 'problems' in compiled ? compiled.problems : [];
};

describe('compileRuleSet', () => {
  test('checks a rule that is off, and leaves the rule out', () => {
    const off = { ...limit, state: 'off' };
    expect(compileRuleSet(ruleSetOf(off))).toMatchObject({ ruleSet: { rules: [] } });
    expect(problemsOf(ruleSetOf({ ...off, measure: 'nothing' }))).toHaveLength(1);
  });

  test.each<[string, object, string, RegExp]>([
    ['an unknown code', { ...limit, measure: { code: 'x', bounds: {} } }, '/measure', /a code of/],
    ['a condition without weight', { ...named, when: 'true' }, '', /one of weight/],
    ['two effects', { ...limit, weight: 0.5 }, '', /one of weight/],
    ['no condition', { ...named, weight: 0.5 }, '', /must have when/],
    ['bands without a measure', { ...limit, measure: undefined }, '', /measure with bands/],
    ['the reason code of a model', { ...limit, code: 'MODEL_X' }, '/code', /reason code of a rule/],
    ['an amount as a measure', { ...limit, measure: 'amount' }, '/measure', /a number/],
    ['an unknown feature in a sentence', { ...limit, detail: '{x:2} of' }, '/detail', /catalogue/],
    ['a brace alone', { ...limit, detail: 'Amount {amount' }, '/detail', /braces/],
    [
      'bands that fall',
      {
        ...limit,
        bands: [
          { from: 1, weight: 0.5 },
          { from: 2, weight: 0.4 },
        ],
      },
      '/bands',
      /must not fall/,
    ],
  ])('refuses %s', (_, rule, pointer, detail) => {
    expect(problemsOf(ruleSetOf(rule))).toContainEqual(
      expect.objectContaining({
        pointer: `/rules/0${pointer}`,
        detail: expect.stringMatching(detail),
      }),
    );
  });

  test('lets a rule set read the features of its schema alone', () => {
    const surprise = { ...named, when: 'hour_surprise > 1', weight: 0.5 };
    const source = ruleSetOf(surprise);
    const later = { pointer: '/rules/0/when', detail: expect.stringContaining('hour_surprise') };
    expect(problemsOf(source)).toEqual([expect.objectContaining(later)]);
    expect(problemsOf({ ...source, feature_schema: 4 })).toEqual([]);
    expect(problemsOf({ ...source, feature_schema: 5 })).toEqual([
      { pointer: '/feature_schema', detail: 'must be one of 3, 4, not 5' },
    ]);
  });

  test('refuses an id or a code that two rules have', () => {
    expect(problemsOf(ruleSetOf(limit, limit)).map(({ detail }) => detail)).toEqual([
      'must not have an id twice',
      'must not have a code twice',
    ]);
  });

  test('tells the mistakes of all rules, each with its place in the text', () => {
    const when = 'amount > 5 &&\n sibling > 1';
    const second = { ...named, id: 'b', code: 'B', when: 'count_1h >', weight: 0.5 };
    const found = problemsOf(ruleSetOf({ ...named, when, weight: 1, detail: 'A {amout}' }, second));
    expect(found.map(({ pointer, at }) => [pointer, at?.line, at?.column, at?.found])).toEqual([
      ['/rules/0/when', 1, 10, '`5`'],
      ['/rules/0/when', 2, 2, '`sibling`'],
      ['/rules/0/detail', 1, 4, '`amout`'],
      ['/rules/1/when', 1, 11, 'the end'],
    ]);
    expect(found[1]?.detail).toBe('must have `siblings` at line 2, column 2, not `sibling`');
  });
});

test('a rule fires on what it reads beside the vector, and not on what is missing', () => {
  const rules = [
    { ...named, when: 'metadata.tier == "gold" && in_list("stolen")', weight: 0.5 },
    { ...named, id: 'b', code: 'B', when: 'amount >= money(100, "USD")', weight: 0.5 },
    { ...named, id: 'c', code: 'C', when: 'is_missing(metadata.tier)', weight: 0.5 },
    { ...named, id: 'd', code: 'D', when: '!(probability < 0.9)', weight: 0.5 },
  ];
  const compiled = compileRuleSet({ ...ruleSetOf(...rules), metadata: { tier: 'text' } });
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  const { inputs, program } = compiled.ruleSet;
  expect(inputs).toEqual(['in_list.stolen', 'metadata.tier', 'rate.USD']);
  const vector = makeVector({ amount: 4000 });
  const firedOn = (values: readonly (string | number | boolean | null)[], probability: number) => [
    ...program.fired.subarray(0, program.decide(vector, values, probability)),
  ];
  expect(firedOn([true, 'gold', 40], Number.NaN)).toEqual([0, 1]);
  expect(firedOn([true, 'gold', 40.01], 0.9)).toEqual([0, 3]);
  expect(firedOn([false, 'gold', null], Number.NaN)).toEqual([]);
  expect(firedOn([null, null, null], Number.NaN)).toEqual([2]);
  // Values of another type, and none at all, are missing.
  expect(firedOn(['true', 7, '40'], Number.NaN)).toEqual([2]);
  expect(firedOn([], Number.NaN)).toEqual([2]);
});

test('a text of a rule fires on the text of a payment in whichever form the rule was written', () => {
  const rules = ['Jose\u0301', 'Jos\u00e9'].map((tier, nth) => ({
    ...{ ...named, id: `r${nth}`, code: `R${nth}` },
    ...{ when: `metadata.tier == "${tier}" || metadata.tier in ["x", "${tier}"]`, weight: 0.5 },
  }));
  const compiled = compileRuleSet({ ...ruleSetOf(...rules), metadata: { tier: 'text' } });
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  const { program } = compiled.ruleSet;
  expect(program.decide(makeVector({ amount: 1 }), ['Jos\u00e9'], Number.NaN)).toBe(2);
});

/** The time of the quickest of three runs. */
const quickestMsOf = (run: () => void) => Math.min(...[run, run, run].map(processorMsOf));

test('problems are told up to a bound, and what comes after them costs next to nothing', () => {
  const when = Array.from({ length: 49 }, (_, nth) => `${'x'.repeat(60)}${nth} > 1`).join(' || ');
  const wrong = (rules: number) =>
    ruleSetOf(
      ...Array.from({ length: rules }, (_, nth) => ({
        ...{ ...named, id: `r${nth}`, code: `R${nth}` },
        ...{ when, weight: 0.5 },
      })),
    );
  const [few, many] = [wrong(3), wrong(60)];
  expect(problemsOf(many)).toHaveLength(100);
  const ofMany = quickestMsOf(() => problemsOf(many));
  // Three rules have 147 problems; those of 60 would take 20 times as long.
  expect(ofMany).toBeLessThan(4 * quickestMsOf(() => problemsOf(few)));
  expect(ofMany).toBeLessThan(100);
});
