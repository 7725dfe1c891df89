/** Goal: what people order goes before what rules and models weigh, in one order. Method: rules that force each verdict. */
import { describe, expect, test } from 'vitest';
import type { Opinion } from '../../../../src/core/score/opinion.ts';
import { compileOwn } from '../../../../src/core/score/rules/compile-rule-set.ts';
import { default3 } from '../../../../src/core/score/rules/default-3.ts';
import { deriveRuleSet } from '../../../../src/core/score/rules/derived-rule-set.ts';
import { FORCED_VERDICTS, type RuleData } from '../../../../src/core/score/rules/rule-set-data.ts';
import { score } from '../../../../src/core/score/score.ts';
import { makeVector } from './vector.ts';

/** Each forces a verdict where the account has as many siblings or more. */
const forced = FORCED_VERDICTS.map((verdict, index): RuleData => {
  const code = verdict.toUpperCase();
  return { id: verdict, code, sentence: `To ${verdict}.`, when: `siblings >= ${index}`, verdict };
});
const travel = default3.rules.filter(({ id }) => id === 'impossible-travel');
const ruleSetOf = (names: readonly string[], rules = travel) =>
  compileOwn({
    ...default3,
    id: 'own@1',
    rules: [...rules, ...forced.filter(({ id }) => names.includes(id)).toReversed()],
  });
const vector = makeVector({ siblings: 9, country_change_hours: 1, amount: 500 });
const decide = (names: readonly string[], opinion: Opinion | null = null) =>
  score({ vector, ruleSet: ruleSetOf(names), opinion });

describe('a forced verdict', () => {
  test.each<[readonly string[], string]>([
    [['block', 'allow', 'decline', 'review', 'approve'], 'decline'],
    [['allow', 'decline', 'review', 'approve'], 'approve'],
    [['decline', 'review', 'approve'], 'decline'],
    [['review', 'approve'], 'review'],
    [['approve'], 'approve'],
  ])('of %j is %s', (names, verdict) => {
    const decision = decide(names);
    expect(decision).toMatchObject({ score: 500, risk: 0.5, verdict });
    // Reasons have every order, in that sequence, without points.
    expect(decision.reasons).toEqual([
      expect.objectContaining({ code: 'IMPOSSIBLE_TRAVEL', contribution: 500 }),
      ...names.map((name) => ({
        ...{ code: name.toUpperCase(), detail: `To ${name}.`, contribution: 0 },
      })),
    ]);
  });

  test('stands beside a deciding model, whose factors are asked for where people look', () => {
    const opinion = (probability: number) => ({
      ...{ probability, bands: null },
      factors: () => [{ feature: 'count_1h', value: 1, contribution: 1 }],
    });
    expect(decide(['block'], opinion(0.01)).verdict).toBe('decline');
    expect(decide(['block'], opinion(0.01)).reasons[0]?.code).toBe('MODEL_COUNT_1H');
    expect(decide(['allow'], opinion(0.99)).verdict).toBe('approve');
    expect(decide([], opinion(0.99)).verdict).toBe('decline');
  });

  test('to review leaves a decline by points or by a model', () => {
    const opinion = { probability: 0.99, bands: null, factors: () => [] };
    expect(decide(['review'], opinion).verdict).toBe('decline');
    expect(decide(['review', 'approve'], opinion).verdict).toBe('decline');
    const strict = deriveRuleSet(ruleSetOf(['review']), {
      ...{ without: [], tightenedBy: 400, manualFrom: null },
    });
    expect(score({ vector, ruleSet: strict, opinion: null }).verdict).toBe('decline');
    expect(decide(['review'], { ...opinion, probability: 0.01 }).verdict).toBe('review');
  });

  test('to approve gives way to a manual review, and that of the allow list does not', () => {
    const manual = { without: [], tightenedBy: 0, manualFrom: { amount: 100, currency: 'USD' } };
    const verdicts = ['approve', 'allow'].map(
      (name) =>
        score({ vector, ruleSet: deriveRuleSet(ruleSetOf([name]), manual), opinion: null }).verdict,
    );
    expect(verdicts).toEqual(['review', 'approve']);
  });
});

test('a rule and thresholds of a corridor act there alone', () => {
  const ruleSet = compileOwn({
    ...default3,
    id: 'own@1',
    rules: [
      ...travel.map((one) => ({ ...one, corridors: ['US-EG', 'US-MX'] })),
      { id: 'cash', code: 'CASH', sentence: 'A sentence.', when: 'true', weight: 0.1 },
    ],
    verdicts: {
      all: { review: 500, decline: 800 },
      corridors: { 'US-MX': { review: 90, decline: 95 } },
    },
  });
  expect(ruleSet.inputs).toEqual(['corridor']);
  const decideIn = (corridor: string | null, one = ruleSet) => {
    const { score: points, verdict } = score({
      vector,
      ruleSet: one,
      opinion: null,
      inputs: [corridor],
    });
    return [points, verdict];
  };
  expect(decideIn('US-EG')).toEqual([550, 'review']);
  expect(decideIn('US-MX')).toEqual([550, 'decline']);
  expect(decideIn('GB-IN')).toEqual([100, 'approve']);
  expect(decideIn(null)).toEqual([100, 'approve']);
  const change = { without: ['IMPOSSIBLE_TRAVEL'], tightenedBy: 20, manualFrom: null };
  const derived = deriveRuleSet(ruleSet, change);
  expect(decideIn('US-MX', derived)).toEqual([100, 'decline']);
  expect(derived.corridorVerdicts.get('US-MX')).toEqual({ review: 70, decline: 75 });
});
