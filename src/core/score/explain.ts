/** All details of a decision, for an analyst: each feature by name and the outcome of each rule. */
import type { Explanation, RuleOutcome } from '../domain/explanation.ts';
import { FEATURE_SCHEMA, featuresOf } from '../domain/feature-schema.ts';
import type { CompiledRuleSet } from './rules/compile-rule-set.ts';
import type { Inputs } from './rules/generate-program.ts';
import { bandIndex } from './rules/measures.ts';
import type { Slot } from './scorecard/day-table.ts';
import { describeSlots, type NamedFeature } from './scorecard/explain-margin.ts';

type LoggedVector = {
  readonly features: Float64Array;
  /** Schema of a stored vector; absent: the schema of today. */
  readonly featureSchema?: number;
  /** The deciding model's; null while the rules decide alone. */
  readonly probability: number | null;
  /** Values that the rule set reads beside the vector; a value that is not given is missing. */
  readonly inputs?: Inputs;
  /** The market's; a vector may have fewer. */
  readonly slots?: readonly Slot[];
};

export function explain(logged: LoggedVector, ruleSet: CompiledRuleSet): Explanation {
  const { features: vector, featureSchema = FEATURE_SCHEMA } = logged;
  return {
    feature_schema: featureSchema,
    features: describeVector(logged).map(({ name, unit, description }, index) => ({
      name,
      value: presentOrNull(vector[index]),
      unit,
      description,
    })),
    rules: explainRules(logged, ruleSet),
  };
}

/** The features of the vector, in its order. */
export function describeVector({
  features,
  featureSchema = FEATURE_SCHEMA,
  slots = [],
}: Pick<LoggedVector, 'features' | 'featureSchema' | 'slots'>): readonly NamedFeature[] {
  const fixed = featuresOf(featureSchema) ?? [];
  const known = featureSchema === FEATURE_SCHEMA ? features.length - fixed.length : 0;
  return [...fixed, ...describeSlots(slots.slice(0, known))];
}

function explainRules(logged: LoggedVector, ruleSet: CompiledRuleSet): RuleOutcome[] {
  const { program, programRules } = ruleSet;
  const { features: vector, inputs = [], probability: given } = logged;
  const probability = given ?? Number.NaN;
  const values = program.measure(vector, inputs, probability);
  const count = program.decide(vector, inputs, probability);
  const weights = new Map<number, number>();
  for (let nth = 0; nth < count; nth++) {
    weights.set(program.fired[nth] as number, program.weights[nth] as number);
  }
  return programRules.flatMap((rule, index) => {
    if (rule === undefined) return [];
    const { id, code, sentence, bands, detail } = rule;
    const value = values[index] as number;
    const weight = weights.get(index);
    const fired = weight !== undefined;
    return {
      id,
      code,
      summary: sentence,
      fired,
      value: presentOrNull(value),
      weight: weight ?? 0,
      band: fired ? (bands[bandIndex(bands, value)]?.from ?? null) : null,
      detail: fired ? detail(vector, inputs, probability) : null,
    };
  });
}

function presentOrNull(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}
