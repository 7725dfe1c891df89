/**
 * The tests of every rule: the value it measures, its silence where a condition does not hold,
 * its silence as soon as any feature its measure needs is missing, and its sentence.
 */
import { describe, expect, test } from 'vitest';
import type { FeatureName } from '../../../../../src/core/domain/feature-schema.ts';
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

const { program, rules } = currentRuleSet;
const indexOf = (id: string) => rules.findIndex((one) => one.id === id);

/** The value that a rule of the current rule set measures. */
export function currentMeasure(id: string, vector: Float64Array): number | undefined {
  return program.measure(vector, [], Number.NaN)[indexOf(id)];
}

function currentWeight(id: string, vector: Float64Array): number {
  const count = program.decide(vector, [], Number.NaN);
  const nth = program.fired.subarray(0, count).indexOf(indexOf(id));
  return program.weights[nth] ?? 0;
}

export function describeRule(
  id: string,
  { fires, measures, detail, silent, needs }: RuleCase,
): void {
  const compiled = rules[indexOf(id)];
  if (compiled === undefined) throw new Error(`${id} is not in the current rule set`);
  const measure = (features: NamedFeatures) => currentMeasure(id, makeVector(features));
  const weightOf = (features: NamedFeatures) => currentWeight(id, makeVector(features));

  describe(id, () => {
    test('measures and fires', () => {
      expect(measure(fires)).toBeCloseTo(measures, 9);
      expect(weightOf(fires)).toBeGreaterThan(0);
    });

    test('says why', () => {
      expect(compiled.detail(makeVector(fires), [], Number.NaN)).toBe(detail);
    });

    test.each(Object.entries(silent))('is silent: %s', (_, change) => {
      expect(weightOf({ ...fires, ...change })).toBe(0);
    });

    test.each(needs)('is silent without %s', (name) => {
      expect(weightOf({ ...fires, [name]: Number.NaN })).toBe(0);
    });

    test('reads only the features it declares', () => {
      const { features } = compiled;
      expect(Object.keys(fires).filter((name) => !features.includes(name as FeatureName))).toEqual(
        [],
      );
      expect(features.filter((name) => !(name in fires))).toEqual([]);
      expect(measure({})).toBeNaN();
      expect(measure(fires)).not.toBeNaN();
    });
  });
}
