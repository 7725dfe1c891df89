/** Rule sets of people on the wire (`/v1/rule-sets/…`): what is asked for, and what is answered. */
import { z } from 'zod';
import { FEATURE_SCHEMA } from '../../core/domain/feature-schema.ts';
import { outcomeShareSchema } from '../../core/domain/outcome-share.ts';
import { corridorOrAll, overrideText, proposedHolding } from '../../core/score/rollout/holding.ts';
import { stageSchema } from '../../core/score/rollout/stages.ts';
import { default4 } from '../../core/score/rules/default-4.ts';
import { FLIP_IDS_MAX } from '../../core/work/rollout-counts.ts';
import { ruleSetSchema } from './catalogue.ts';

const [FIRST_RULE] = default4.rules;
export const RULE_SET = 'careful@1';
/** A rule set of one rule, which is accepted as it is. */
export const sourceExample = {
  version: 2,
  id: RULE_SET,
  feature_schema: FEATURE_SCHEMA,
  rules: FIRST_RULE === undefined ? [] : [FIRST_RULE],
  verdicts: { all: { review: 500, decline: 800 } },
};

/** The source in the document; `checkSource` reads it, and names each wrong field. */
export const sourceSchema = z
  .strictObject({
    version: z.int().meta({ description: 'Of the shape: 2.' }),
    id: z.string().meta({ description: '`name@version`, which no rule set has.' }),
    feature_schema: z.int(),
    metadata: z.record(z.string(), z.unknown()).optional().meta({
      description: 'Type of each metadata field that rules read, as `{"tier": "text"}`.',
    }),
    rules: z.array(z.record(z.string(), z.unknown())).meta({
      description:
        'Each has `id`, `sentence`, `code`; `when` with `weight` or `verdict`, or `measure` with `bands`; and may have `corridors`, `state`, `policy`, `detail`.',
    }),
    verdicts: z.record(z.string(), z.unknown()).meta({
      description: '`all`, and `corridors` that differ: least scores of `review` and `decline`.',
    }),
  })
  .meta({ id: 'RuleSetSource', example: sourceExample });

const flipped = z.array(z.string()).meta({
  description: `The newest transactions, at most ${FLIP_IDS_MAX}.`,
});
const shadowSchema = z
  .object({
    corridor: z.string(),
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    scores: z
      .int()
      .meta({ description: 'Scores that were compared; a batch that comes again counts again.' }),
    failed: z.int().meta({ description: 'Scores for which the shadow itself failed.' }),
    stricter: z.int(),
    stricter_share: outcomeShareSchema.nullable(),
    stricter_ids: flipped,
    milder: z.int(),
    milder_share: outcomeShareSchema.nullable(),
    milder_ids: flipped,
  })
  .meta({ id: 'RuleSetShadow' });
export type ShadowJson = z.infer<typeof shadowSchema>;

export const detailSchema = ruleSetSchema
  .extend({
    tag: z.string().meta({ description: '`ETag` of the answer, for `If-Match`.' }),
    source: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The rule set as data: what POST and PUT take.' }),
    stage: stageSchema.nullable().meta({ description: 'Null: it decides nowhere.' }),
    rollouts: z
      .array(
        z.object({
          corridor: z.string(),
          to: z.string(),
          cause: z.string(),
          proposed_by: z.string(),
          approved_by: z.string().nullable(),
          reason: z.string().nullable(),
          created_at: z.iso.datetime(),
        }),
      )
      .meta({ description: 'Newest first.' }),
    shadows: z
      .array(shadowSchema)
      .meta({ description: 'What it would have decided otherwise as a shadow, by corridor.' }),
  })
  .meta({ id: 'RuleSetDetail' });
export type DetailJson = z.infer<typeof detailSchema>;
export const newRolloutSchema = z
  .strictObject({
    corridor: corridorOrAll,
    to: proposedHolding,
    override: overrideText,
  })
  .meta({ id: 'NewRuleSetRollout' });
export const newRollbackSchema = z
  .strictObject({ corridor: corridorOrAll })
  .meta({ id: 'NewRuleSetRollback' });

export const decidedSchema = z
  .object({
    items: z
      .array(
        z.object({ corridor: z.string(), to: z.string(), cause: z.string(), rule_set: z.string() }),
      )
      .meta({ description: 'What holds from now on.' }),
  })
  .meta({ id: 'RuleSetRollout' });
