/**
 * Goal: policies join a model's opinion, and contributions add up. test/golden/decisions.test.ts has decisions by opinions, bands and
 * factors. Method: given opinions, vectors on which rules fire.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Factor, Opinion } from '../../../../src/core/score/opinion.ts';
import { compileOwn } from '../../../../src/core/score/rules/compile-rule-set.ts';
import { default3 } from '../../../../src/core/score/rules/default-3.ts';
import { deriveRuleSet } from '../../../../src/core/score/rules/derived-rule-set.ts';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../../src/core/score/score.ts';
import { makeVector } from './vector.ts';

const ruleSet = currentRuleSet;
const withPolicy = compileOwn({
  ...default3,
  rules: default3.rules.map((one) => ({ ...one, policy: one.id === 'structuring' })),
});
/** Two rules fire: impossible travel by 0.5, structuring by 0.6. */
const vector = makeVector({ country_change_hours: 1, near_limit_72h: 2, amount_to_limit: 0.9 });
const FACTORS: Factor[] = [
  { feature: 'count_1h', value: 14, contribution: 3 },
  { feature: 'first_device', value: 1, contribution: 1 },
];

function opinionOf(probability: number): Opinion {
  return { probability, bands: null, factors: () => FACTORS };
}

test('a deciding model is joined by rules that are policy, as independent causes', () => {
  const decision = score({ vector, ruleSet: withPolicy, opinion: opinionOf(0.5) });
  expect(decision.risk).toBeCloseTo(1 - 0.5 * 0.4, 12);
  expect(decision.reasons.map(({ code, contribution }) => [code, contribution])).toEqual([
    ['STRUCTURING', 437],
    ['MODEL_COUNT_1H', 273],
    ['MODEL_FIRST_DEVICE', 90],
    ['IMPOSSIBLE_TRAVEL', 0],
  ]);
});

test('the points of the rules alone are those without a model, whatever reads its probability or is left out', () => {
  const rule = { sentence: 'A model is sure.', weight: 0.3 };
  const asking = compileOwn({
    ...default3,
    rules: [
      ...default3.rules,
      { ...rule, id: 'sure', code: 'SURE', when: 'probability > 0.4' },
      { ...rule, id: 'unsure', code: 'UNSURE', when: '!(probability > 0.4)' },
    ],
  });
  const left = { without: ['IMPOSSIBLE_TRAVEL'], tightenedBy: 0, manualFrom: null };
  for (const set of [ruleSet, withPolicy, asking, deriveRuleSet(asking, left)]) {
    const alone = score({ vector, ruleSet: set, opinion: null });
    expect(alone).toMatchObject({ byRules: null });
    expect(score({ vector, ruleSet: set, opinion: opinionOf(0.5) }).byRules).toBe(alone.score);
  }
});

test('contributions add up to the score, and the risk stays in range', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (given) => {
      for (const set of [ruleSet, withPolicy]) {
        const {
          risk,
          reasons,
          score: points,
        } = score({
          ...{ vector, ruleSet: set, opinion: opinionOf(given) },
        });
        expect(risk).toBeGreaterThanOrEqual(given);
        expect(risk).toBeLessThanOrEqual(1);
        expect(reasons.reduce((sum, { contribution }) => sum + contribution, 0)).toBe(points);
      }
    }),
  );
});
