/**
 * The tests of every rule: the value it measures, its silence where a condition does not hold,
 * its silence as soon as any feature its measure needs is missing, and its sentence.
 */
import { describe, expect, test } from 'vitest';
import type { FeatureName } from '../../../../../src/core/domain/feature-schema.ts';
import { bandWeight } from '../../../../../src/core/score/rules/band.ts';
import type { Rule } from '../../../../../src/core/score/rules/rule.ts';
import { currentRuleSet } from '../../../../../src/core/score/rules/rule-sets.ts';
import { makeVector, type NamedFeatures } from '../vector.ts';

export type RuleCase = {
  /** Fires under the current rule set. */
  readonly fires: NamedFeatures;
  readonly measures: number;
  readonly detail: string;
  /** Changes to `fires` that silence it, by their meaning. */
  readonly silent: Readonly<Record<string, NamedFeatures>>;
  /** Features without which it must not fire; others are optional or only in its sentence. */
  readonly needs: readonly FeatureName[];
};

export function describeRule(
  rule: Rule,
  { fires, measures, detail, silent, needs }: RuleCase,
): void {
  const compiled = currentRuleSet.rules.find((one) => one.rule === rule);
  if (compiled === undefined) throw new Error(`${rule.id} is not in the current rule set`);
  const { bounds, bands } = compiled;
  const weightOf = (features: NamedFeatures) =>
    bandWeight(bands, rule.measure(makeVector(features), bounds));

  describe(rule.id, () => {
    test('measures and fires', () => {
      expect(rule.measure(makeVector(fires), bounds)).toBeCloseTo(measures, 9);
      expect(weightOf(fires)).toBeGreaterThan(0);
    });

    test('says why', () => {
      expect(rule.detail(makeVector(fires))).toBe(detail);
    });

    test.each(Object.entries(silent))('is silent: %s', (_, change) => {
      expect(weightOf({ ...fires, ...change })).toBe(0);
    });

    test.each(needs)('is silent without %s', (name) => {
      expect(weightOf({ ...fires, [name]: Number.NaN })).toBe(0);
    });

    test('reads only the features it declares', () => {
      const undeclared = makeVector({});
      const declared = makeVector(fires);
      expect(
        Object.keys(fires).filter((name) => !rule.features.includes(name as FeatureName)),
      ).toEqual([]);
      expect(rule.features.filter((name) => !(name in fires))).toEqual([]);
      expect(rule.measure(undeclared, bounds)).toBeNaN();
      expect(rule.measure(declared, bounds)).not.toBeNaN();
    });
  });
}
