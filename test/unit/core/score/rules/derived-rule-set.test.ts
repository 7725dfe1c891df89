/** Goal: the name of a derived rule set says all of it, so that a score is made again by the name that is stored with it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FEATURE_SCHEMA } from '../../../../../src/core/domain/feature-schema.ts';
import { RULES } from '../../../../../src/core/score/rules/catalogue.ts';
import { withoutRules } from '../../../../../src/core/score/rules/derived-rule-set.ts';
import {
  currentRuleSet,
  findRuleSet,
  RULE_SETS,
} from '../../../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../../../src/core/score/score.ts';
import { verifyScore } from '../../../../../src/core/score/verify-score.ts';
import { makeVector } from '../vector.ts';

const derive = (codes: readonly string[]) => withoutRules(currentRuleSet, codes);

/** 0.45 of risk by one rule alone. */
const large = makeVector({ amount: 50_000, amount_to_limit: 5 });
const decide = (codes: readonly string[]) =>
  score({ vector: large, ruleSet: derive(codes), opinion: null });

test('the name is all that is needed, whichever rules are off together', () => {
  const codes = RULES.map(({ reasonCode }) => reasonCode);
  fc.assert(
    fc.property(fc.constantFrom(...RULE_SETS), fc.subarray(codes), (base, off) => {
      const derived = withoutRules(base, off);
      expect(findRuleSet(derived.id)).toEqual(derived);
    }),
  );
});

test.each([
  'default@3-without-NOBODY',
  'default@3-without-STRUCTURING-without-AMOUNT_OVER_LIMIT',
  'default@3-',
  'default@0-without-STRUCTURING',
])('nothing is called %s', (name) => {
  expect(findRuleSet(name)).toBeUndefined();
});

describe('a derived rule set', () => {
  test('without a rule scores as if the rule had not fired', () => {
    expect(decide([]).reasons.map(({ code }) => code)).toEqual(['AMOUNT_OVER_LIMIT']);
    expect(decide(['AMOUNT_OVER_LIMIT'])).toMatchObject({ score: 0, reasons: [] });
  });

  test('verifies by the name that was stored', () => {
    const ruleSet = derive(['AMOUNT_OVER_LIMIT']);
    const stored = {
      ...score({ vector: large, ruleSet, opinion: null }),
      ...{ features: large, featureSchema: FEATURE_SCHEMA, model: null },
    };
    expect(verifyScore({ ...stored, ruleSet: ruleSet.id }, null)).toEqual([]);
    expect(verifyScore({ ...stored, ruleSet: 'default@3' }, null)).toEqual([
      ...['score', 'risk', 'reasons'],
    ]);
  });
});
