/** Every reason code that a score may have, from the rules and features that define them. */
import { FEATURE_LIST } from '../domain/feature-schema.ts';
import { SCORECARD_MARGIN } from './factor-sentence.ts';
import type { CompiledRule, CompiledRuleSet } from './rules/compile-rule-set.ts';
import { BUILT_IN } from './rules/rule-sets.ts';
import { FAILED_REASON } from './rules-in-force.ts';
import { factorReason, MANUAL_REASON, MODEL_REASON } from './score.ts';
import type { Slot } from './scorecard/day-table.ts';
import { describeSlots, measureMeaning, type NamedFeature } from './scorecard/explain-margin.ts';
import { measureNames } from './scorecard/measures.ts';

export type ReasonCode = {
  readonly code: string;
  /** In plain words. */
  readonly description: string;
  readonly origin: 'rule' | 'model';
  /** `name@version` of those whose scores may have it; none for a model's. */
  readonly rule_sets: readonly string[];
  readonly features: readonly string[];
};

/** The shape of every reason code, also of rules that people have not written yet. */
export const REASON_CODE = /^[A-Z][A-Z0-9_]{0,127}$/;

/** Reasons of rules, each with the sentence of the first rule set that has the rule. */
function reasonsOfRules(ruleSets: readonly CompiledRuleSet[]): ReasonCode[] {
  const rules = new Map<string, CompiledRule>(
    ruleSets.toReversed().flatMap((ruleSet) => ruleSet.rules.map((rule) => [rule.code, rule])),
  );
  return [...rules.values()].map(({ code, sentence, features }) => ({
    code,
    description: sentence,
    origin: 'rule',
    rule_sets: ruleSets
      .filter((ruleSet) => ruleSet.rules.some((rule) => rule.code === code))
      .map(({ id }) => id)
      .sort(),
    features,
  }));
}

const ofBuild = (
  code: string,
  origin: ReasonCode['origin'],
  description: string,
  features: readonly string[] = [],
): ReasonCode => ({ code, description, origin, rule_sets: [], features });

/** The scorecard and its measures that are no features of a vector. */
const OWN_MEASURES = [SCORECARD_MARGIN, ...measureNames([])].filter((name) =>
  FEATURE_LIST.every((feature) => feature.name !== name),
);

const OF_ORDERS_AND_MODELS: readonly ReasonCode[] = [
  ofBuild(
    FAILED_REASON,
    'rule',
    'Rules failed and did not count, so people look at what the others would approve.',
  ),
  ofBuild(
    MANUAL_REASON,
    'rule',
    'People review such amounts for a time: the rule set of the score says which.',
    ['amount'],
  ),
  ofBuild(
    MODEL_REASON,
    'model',
    'The probability of fraud that the deciding model sees, as a whole.',
  ),
  ...FEATURE_LIST.map(ofFeature),
  ...OWN_MEASURES.map((name) => ({
    ...ofFeature({ name, description: `${measureMeaning(name, [])}.` }),
    features: [],
  })),
];

function ofFeature({ name, description }: Pick<NamedFeature, 'name' | 'description'>): ReasonCode {
  const sentence = `The deciding model finds it suspicious: ${description}`;
  return ofBuild(factorReason(name), 'model', sentence, [name]);
}

/**
 * Reason codes of rules, then of models.
 * @param stored rule sets of people, the newest first
 * @param slots of the market, which models may read
 */
export const listReasonCodes = (
  stored: readonly CompiledRuleSet[],
  slots: readonly Slot[] = [],
): ReasonCode[] => [
  ...reasonsOfRules([...BUILT_IN, ...stored]),
  ...OF_ORDERS_AND_MODELS,
  ...describeSlots(slots).map(ofFeature),
];

/** Reason codes of this build. */
export const REASON_CODES: readonly ReasonCode[] = listReasonCodes([]);
