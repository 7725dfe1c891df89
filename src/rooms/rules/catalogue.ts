/** Catalogue of a market, in plain words: corridors, reason codes and features. */
import { z } from 'zod';
import { FEATURE_LIST } from '../../core/domain/feature-schema.ts';
import { SCORE_MAX } from '../../core/domain/score-record.ts';
import type { CompiledRuleSet } from '../../core/score/rules/compile-rule-set.ts';
import { CODE_MEASURES } from '../../core/score/rules/measures.ts';
import type { RuleData } from '../../core/score/rules/rule-set-data.ts';
import type { RuleSetSource } from '../../core/store/rule-sets/rule-sets.ts';

export const corridorSchema = z
  .object({
    corridor: z.string().meta({ description: 'Name, as transactions carry it.' }),
    source: z
      .string()
      .meta({ description: 'Country the money leaves, ISO 3166 alpha-2.', example: 'US' }),
    destination: z.string().meta({ description: 'Country it goes to.' }),
  })
  .meta({ id: 'Corridor' });
type CorridorJson = z.infer<typeof corridorSchema>;

export const reasonCodeSchema = z
  .object({
    code: z.string().meta({ description: 'As in `reasons` of a score.' }),
    description: z.string().meta({ description: 'What it says of a transaction.' }),
    origin: z
      .enum(['rule', 'model'])
      .meta({ description: 'What gives it: a rule, or a model that decides.' }),
    rule_sets: z
      .array(z.string())
      .meta({ description: 'Rule sets whose scores may have it; empty for a model.' }),
    features: z.array(z.string()).meta({ description: 'What it is measured from.' }),
  })
  .meta({ id: 'ReasonCode' });
export type ReasonCodeJson = z.infer<typeof reasonCodeSchema>;

export const featureSchema = z
  .object({
    name: z.string(),
    unit: z.string(),
    description: z.string(),
    position: z.int().meta({ description: 'Place in the stored vector, from 0.' }),
  })
  .meta({ id: 'Feature' });
export type FeatureJson = z.infer<typeof featureSchema>;

export const ruleSetSchema = z
  .object({
    rule_set: z.string().meta({ description: 'As in `rule_set` of a score.' }),
    in_force: z
      .boolean()
      .meta({ description: 'It decides in a corridor, or for a part of its accounts.' }),
    state: z
      .enum(['built-in', 'draft', 'submitted', 'approved', 'retired'])
      .meta({ description: '`built-in`: of the version of the engine.' }),
    author: z.string().nullable(),
    approved_by: z.string().nullable(),
    created_at: z.iso.datetime().nullable(),
    corridors: z.array(z.object({ corridor: z.string(), to: z.string() })).meta({
      description: 'Where people have rolled it out, and to what; `deprecated`: no longer.',
    }),
    sha256: z
      .string()
      .meta({ description: 'Of its numbers; one that ever decided never changes.' }),
    problem: z.string().nullable().meta({
      description:
        'Why this version of the engine cannot compile it: the rule set then decides nothing here, and `rules` is empty.',
    }),
    feature_schema: z.int(),
    verdicts: z
      .object({ review: z.int(), decline: z.int() })
      .meta({ description: 'Least score of each.' }),
    rules: z
      .array(
        z.object({
          rule: z.string(),
          code: z.string().meta({ description: 'The reason that it gives.' }),
          description: z.string(),
          policy: z
            .boolean()
            .meta({ description: 'It adds to the risk even where a model decides.' }),
          features: z.array(z.string()),
          when: z
            .string()
            .nullable()
            .meta({ description: 'Condition without which it does not fire.' }),
          measure: z
            .string()
            .nullable()
            .meta({ description: 'The value that the bands judge: an expression, or code.' }),
          bounds: z
            .array(z.object({ bound: z.string(), value: z.number(), meaning: z.string() }))
            .meta({ description: 'Numbers of a measure that is code.' }),
          bands: z
            .array(
              z.object({
                from: z.number().meta({ description: 'Of the value that the rule measures.' }),
                weight: z.number().min(0).max(1).meta({
                  description: 'Risk of a transaction on which nothing else fires.',
                }),
              }),
            )
            .meta({ description: 'Between two bands the weight rises in a straight line.' }),
        }),
      )
      .meta({ description: 'In the order in which they combine.' }),
  })
  .meta({ id: 'RuleSet' });
export type RuleSetJson = z.infer<typeof ruleSetSchema>;

type RuleSetContent = Pick<
  RuleSetJson,
  'rule_set' | 'sha256' | 'problem' | 'feature_schema' | 'verdicts' | 'rules'
>;

/** Members that follow from the data of a rule set alone. */
export function toRuleSetJson(ruleSet: CompiledRuleSet): RuleSetContent {
  const { id, sha256, featureSchema, verdicts, rules } = ruleSet;
  return {
    rule_set: id,
    feature_schema: featureSchema,
    sha256,
    problem: null,
    verdicts: { ...verdicts },
    rules: rules.map(({ id: rule, code, sentence, features, data, bands, isPolicy }) => ({
      rule,
      code,
      description: sentence,
      policy: isPolicy,
      features: [...features],
      when: data.when ?? null,
      ...toMeasureJson(data),
      bands: bands.map(({ from, weight }) => ({ from, weight })),
    })),
  };
}

/** A source that another version of the engine wrote may lack any member. */
const uncompiledSchema = z.object({
  feature_schema: z.int().catch(0),
  verdicts: z
    .object({ all: z.object({ review: z.int(), decline: z.int() }) })
    .catch({ all: { review: SCORE_MAX, decline: SCORE_MAX } }),
});

/** Members of a rule set that this build cannot compile. */
export function toUncompiledJson(
  { ruleSet, sha256, source }: RuleSetSource,
  problem: string,
): RuleSetContent {
  const { feature_schema, verdicts } = uncompiledSchema.parse(JSON.parse(source));
  return { rule_set: ruleSet, feature_schema, sha256, problem, verdicts: verdicts.all, rules: [] };
}

function toMeasureJson({ measure }: RuleData) {
  if (typeof measure !== 'object') return { measure: measure ?? null, bounds: [] };
  const meanings = CODE_MEASURES.get(measure.code)?.bounds ?? {};
  return {
    measure: measure.code,
    bounds: Object.entries(measure.bounds).map(([bound, value]) => ({
      bound,
      value,
      meaning: meanings[bound] ?? '',
    })),
  };
}

export const FEATURES: readonly FeatureJson[] = FEATURE_LIST.map((feature, position) => ({
  ...feature,
  position,
}));

export function toCorridorJson(corridor: string): CorridorJson {
  const [source = '', destination = ''] = corridor.split('-');
  return { corridor, source, destination };
}
