/** Everything behind a decision, for an analyst: each feature by name and what each rule made of it. */
import type { Explanation, RuleOutcome } from '../domain/explanation.ts';
import { bandIndex, bandWeight } from './band.ts';
import type { CompiledRule, CompiledRuleSet } from './compile-rule-set.ts';
import { FEATURE_LIST } from './feature-schema.ts';

/** @param vector of the rule set's feature schema */
export function explain(vector: Float64Array, ruleSet: CompiledRuleSet): Explanation {
  return {
    featureSchema: ruleSet.featureSchema,
    ruleSet: ruleSet.id,
    features: FEATURE_LIST.map(({ name, unit, description }, index) => ({
      name,
      value: presentOrNull(vector[index]),
      unit,
      description,
    })),
    rules: ruleSet.rules.map((compiled) => outcomeOf(compiled, vector)),
  };
}

function outcomeOf({ rule, bounds, bands }: CompiledRule, vector: Float64Array): RuleOutcome {
  const value = rule.measure(vector, bounds);
  const weight = bandWeight(bands, value);
  const fired = weight > 0;
  return {
    id: rule.id,
    code: rule.reasonCode,
    summary: rule.summary,
    fired,
    value: presentOrNull(value),
    weight,
    band: fired ? (bands[bandIndex(bands, value)]?.from ?? null) : null,
    detail: fired ? rule.detail(vector) : null,
  };
}

function presentOrNull(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}
