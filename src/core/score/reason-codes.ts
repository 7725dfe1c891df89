/** Every reason code that a score may have, from the rules and features that define them. */
import { FEATURE_LIST } from '../domain/feature-schema.ts';
import { RULE_SETS } from './rules/rule-sets.ts';
import { factorReason, MANUAL_REASON, MODEL_REASON } from './score.ts';

export type ReasonCode = {
  readonly code: string;
  /** In plain words. */
  readonly description: string;
  readonly origin: 'rule' | 'model';
  /** `name@version` of those whose scores may have it; none for a model's. */
  readonly rule_sets: readonly string[];
  readonly features: readonly string[];
};

/** Each rule by its code, as the newest rule set that has the rule says it. */
const RULES = new Map(
  RULE_SETS.toReversed().flatMap(({ rules }) => rules.map((one) => [one.code, one])),
);

/** Rules in the order in which they combine, then models. */
export const REASON_CODES: readonly ReasonCode[] = [
  ...[...RULES.values()].map(({ code, sentence, features }) => ({
    code,
    description: sentence,
    origin: 'rule' as const,
    rule_sets: RULE_SETS.filter(({ rules }) => rules.some((one) => one.code === code))
      .map(({ id }) => id)
      .sort(),
    features,
  })),
  {
    code: MANUAL_REASON,
    description: 'People review such amounts for a time: the rule set of the score says which.',
    origin: 'rule',
    rule_sets: [],
    features: ['amount'],
  },
  {
    code: MODEL_REASON,
    description: 'The probability of fraud that the deciding model sees, as a whole.',
    origin: 'model',
    rule_sets: [],
    features: [],
  },
  ...FEATURE_LIST.map(({ name, description }) => ({
    code: factorReason(name),
    description: `The deciding model finds it suspicious: ${description}`,
    origin: 'model' as const,
    rule_sets: [],
    features: [name],
  })),
];
