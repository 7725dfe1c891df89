/**
 * Goal: a probability with bands of its own is the risk, rules marked as policy add nothing to it, and the stricter verdict of both
 * stands. Method: given opinions, and rules that fire.
 */
import { expect, test } from 'vitest';
import type { Verdict } from '../../../../src/core/domain/score-record.ts';
import type { Opinion } from '../../../../src/core/score/opinion.ts';
import { compileOwn } from '../../../../src/core/score/rules/compile-rule-set.ts';
import { deriveRuleSet } from '../../../../src/core/score/rules/derived-rule-set.ts';
import { MODEL_REASON, score } from '../../../../src/core/score/score.ts';
import { makeVector } from './vector.ts';

const [SMALL, MIDDLE, CERTAIN] = [0.1, 0.6, 1];
/** Each weight is that of a policy rule, which fires where `count_1h` is the weight; the other rule is no policy. */
const ruleSet = compileOwn({
  version: 2,
  id: 'weights@1',
  feature_schema: 3,
  rules: [
    ...[SMALL, MIDDLE, CERTAIN].map((weight, nth) => ({
      ...{ id: `weight-${nth}`, code: `WEIGHT_${nth}`, sentence: 'It fires.' },
      ...{ when: `count_1h == ${weight}`, weight, policy: true },
    })),
    { id: 'other', code: 'OTHER', sentence: 'Other.', when: 'count_24h >= 1', weight: 0.9 },
    { id: 'ask', code: 'ASK', sentence: 'Ask.', when: 'count_24h >= 2', verdict: 'review' },
  ],
  verdicts: { all: { review: 500, decline: 800 } },
});

const opinionOf = (probability: number): Opinion => ({
  probability,
  bands: { reviewFrom: 0.02, declineFrom: 0.2, isOfProbability: true },
  factors: () => [{ feature: 'hour', value: 3, contribution: 2, sentence: 'Model: at three' }],
});
const decide = (probability: number, weight = 0, counted = 0, set = ruleSet) =>
  score({
    vector: makeVector({ count_1h: weight, count_24h: counted }),
    ruleSet: set,
    opinion: opinionOf(probability),
  });

test.each<[probability: number, weight: number, verdict: Verdict]>([
  [0.01, SMALL, 'approve'],
  [0.01, MIDDLE, 'review'],
  [0.01, CERTAIN, 'decline'],
  [0.02, 0, 'review'],
  [0.02, CERTAIN, 'decline'],
  [0.2, MIDDLE, 'decline'],
])('a probability of %d beside a policy rule of weight %d gives %s', (given, weight, verdict) => {
  const decision = decide(given, weight);
  expect(decision).toMatchObject({ verdict, risk: given, probability: given });
  expect(decision.score).toBe(Math.round(1000 * given));
  const ofRules = decision.reasons.filter(({ code }) => code.startsWith('WEIGHT'));
  expect(ofRules.map(({ contribution }) => contribution)).toEqual(weight === 0 ? [] : [0]);
});

test('rules that are no policy change nothing, and what people order stands', () => {
  expect(decide(0.01, 0, 1)).toMatchObject({ verdict: 'approve', byRules: 900 });
  expect(decide(0.01, 0, 2).verdict).toBe('review');
  expect(decide(0.2, 0, 2).verdict).toBe('decline');
});

test('stricter thresholds lower the bands by half at most', () => {
  const given = { without: [], tightenedBy: 100, manualFrom: null };
  const tightened = deriveRuleSet(ruleSet, given);
  const verdicts = [0.0099, 0.01, 0.0999, 0.1].map((p) => decide(p, 0, 0, tightened).verdict);
  expect(verdicts).toEqual(['approve', 'review', 'review', 'decline']);
});

test('a stop has a reason, though the probability is below a point', () => {
  const opinion = { ...opinionOf(0.0004), bands: { reviewFrom: 0.0003, declineFrom: 0.5 } };
  const vector = makeVector({});
  const bands = { ...opinion.bands, isOfProbability: true } as const;
  const decision = score({ vector, ruleSet, opinion: { ...opinion, bands } });
  expect(decision).toMatchObject({ score: 0, verdict: 'review' });
  expect(decision.reasons).toMatchObject([{ code: MODEL_REASON, contribution: 0 }]);
  // Scores of other models stay what they were.
  expect(score({ vector, ruleSet, opinion }).reasons).toEqual([]);
});
