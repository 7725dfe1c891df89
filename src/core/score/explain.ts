/** All details of a decision, for an analyst: each feature by name and the outcome of each rule. */
import type { Explanation, RuleOutcome } from '../domain/explanation.ts';
import { featuresOfSchema } from '../domain/feature-schema.ts';
import { bandIndex, bandWeight } from './rules/band.ts';
import type { CompiledRule, CompiledRuleSet } from './rules/compile-rule-set.ts';

type LoggedVector = {
  readonly features: Float64Array;
  readonly featureSchema: number;
};

/** Undefined for a vector of an unknown schema, or of one older than the rule set's. */
export function explain(
  { features: vector, featureSchema }: LoggedVector,
  ruleSet: CompiledRuleSet,
): Explanation | undefined {
  const schema = featuresOfSchema(featureSchema);
  if (schema === undefined || featureSchema < ruleSet.featureSchema) return undefined;
  return {
    feature_schema: featureSchema,
    features: schema.map(({ name, unit, description }, index) => ({
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
