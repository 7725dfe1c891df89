/**
 * Goal: points and verdicts that millions of rows are counted by are those that a worker gives. Method: random vectors by the rule
 * set of the build and by one that forces verdicts, with and without a model, beside `score`.
 */
import { expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../../../src/core/domain/feature-schema.ts';
import {
  type CompiledRuleSet,
  compileOwn,
} from '../../../../src/core/score/rules/compile-rule-set.ts';
import { deriveRuleSet } from '../../../../src/core/score/rules/derived-rule-set.ts';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../../src/core/score/score.ts';
import { weigh } from '../../../../src/core/score/weigh.ts';
import { createRandom } from '../../../../src/kit/random.ts';

const forcing = compileOwn({
  version: 2,
  id: 'forcing@1',
  feature_schema: 3,
  rules: [
    { id: 'a', sentence: 'A.', code: 'A', when: 'count_1h >= 5', weight: 0.6, policy: true },
    { id: 'b', sentence: 'B.', code: 'B', when: 'amount_to_mean >= 20', verdict: 'review' },
    { id: 'c', sentence: 'C.', code: 'C', when: 'count_24h >= 8', verdict: 'allow' },
  ],
  verdicts: {
    all: { review: 500, decline: 800 },
    corridors: { 'US-EG': { review: 100, decline: 550 } },
  },
});
const derived = (base: CompiledRuleSet) =>
  deriveRuleSet(base, {
    without: ['A', 'NEW_DEVICE'],
    tightenedBy: 120,
    manualFrom: { amount: 15, currency: 'USD' },
  });

test.each([forcing, currentRuleSet].flatMap((one) => [one, derived(one)]))('$id', (ruleSet) => {
  const random = createRandom('7');
  const vector = new Float64Array(FEATURE_COUNT);
  const inputs = ruleSet.inputs.map(() => 'US-EG');
  for (let nth = 0; nth < 5000; nth++) {
    for (let at = 0; at < vector.length; at++) {
      vector[at] = random() < 0.2 ? Number.NaN : random() ** 3 * 40;
    }
    const kind = random();
    const given = { reviewFrom: 0.3, declineFrom: 0.7 };
    const own = kind < 0.85 ? given : ({ ...given, isOfProbability: true } as const);
    const bands = kind < 0.7 ? null : own;
    const opinion = kind < 0.4 ? null : { probability: random() ** 2, bands, factors: () => [] };
    const whole = score({ vector, ruleSet, opinion, inputs });
    const probability = opinion === null ? Number.NaN : opinion.probability;
    const fired = ruleSet.program.decide(vector, inputs, probability);
    const { points, verdict } = weigh(ruleSet, opinion, vector, inputs, fired);
    expect({ points, verdict }).toEqual({ points: whole.score, verdict: whole.verdict });
  }
});
