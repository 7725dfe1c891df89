/** Goal: the laws of a decision. Method: named cases, and properties over arbitrary vectors. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FEATURE_COUNT,
  FEATURE_LIST,
  type FeatureName,
  featureIndex,
} from '../../../../src/core/domain/feature-schema.ts';
import { VERDICTS } from '../../../../src/core/domain/score-record.ts';
import { explain } from '../../../../src/core/score/explain.ts';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../../src/core/score/score.ts';
import { makeVector } from './vector.ts';

const decide = (vector: Float64Array) => score({ vector, ruleSet: currentRuleSet, opinion: null });

const value = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: 0, max: 50, noNaN: true }) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 1e6, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY) },
);
const vectors = fc
  .array(value, { minLength: FEATURE_COUNT, maxLength: FEATURE_COUNT })
  .map((values) => Float64Array.from(values));

describe('score', () => {
  test('stays in range, and its parts agree with each other', () => {
    fc.assert(
      fc.property(vectors, (vector) => {
        const decision = decide(vector);
        expect(decision.risk).toBeGreaterThanOrEqual(0);
        expect(decision.risk).toBeLessThanOrEqual(1);
        expect(decision.score).toBe(Math.round(1000 * decision.risk));
        expect(VERDICTS).toContain(decision.verdict);
        const points = decision.reasons.map((reason) => reason.contribution);
        expect(points.reduce((sum, one) => sum + one, 0)).toBe(decision.score);
        expect(points).toEqual([...points].sort((a, b) => b - a));
        expect(points.every((one) => Number.isInteger(one) && one > 0)).toBe(true);
      }),
    );
  });

  test.each<FeatureName>([
    'count_1h',
    'count_24h',
    'sum_24h_to_usual',
    'merchants_1h',
    'near_limit_72h',
    'merchant_count_1h',
    'merchant_accounts_1h',
    'amount_to_merchant_mean',
  ])('more %s never lowers it', (name) => {
    const index = featureIndex(name);
    fc.assert(
      fc.property(vectors, fc.double({ min: 0, max: 1000, noNaN: true }), (vector, more) => {
        const raised = vector.slice();
        raised[index] = (vector[index] ?? 0) + more;
        expect(decide(raised).risk).toBeGreaterThanOrEqual(decide(vector).risk);
      }),
    );
  });
});

const explained = (vector: Float64Array) =>
  explain({ features: vector, probability: null }, currentRuleSet);

describe('explain', () => {
  test('names every feature and the outcome of every rule, as the score has them', () => {
    fc.assert(
      fc.property(vectors, (vector) => {
        const explanation = explained(vector);
        expect(explanation.features.map((feature) => feature.name)).toEqual(
          FEATURE_LIST.map((feature) => feature.name),
        );
        const codes = explanation.rules.filter((rule) => rule.fired).map((rule) => rule.code);
        const reasons = decide(vector).reasons.map((reason) => reason.code);
        expect(reasons.filter((code) => !codes.includes(code))).toEqual([]);
      }),
    );
  });

  test('tells a missing feature from zero, and the band a value fell into', () => {
    const explanation = explained(makeVector({ country_change_hours: 0, hour: 0 }));
    const featureValue = (name: string) =>
      explanation.features.find((one) => one.name === name)?.value;
    expect([featureValue('hour'), featureValue('weekday')]).toEqual([0, null]);
    expect(explanation.rules.find((rule) => rule.id === 'impossible-travel')).toMatchObject({
      fired: true,
      value: 3,
      band: 2,
      weight: 0.5,
      detail: 'Another country 0.0 hours after the last one',
    });
    expect(explanation.rules.find((rule) => rule.id === 'structuring')).toMatchObject({
      fired: false,
      value: null,
      band: null,
      detail: null,
    });
  });
});
