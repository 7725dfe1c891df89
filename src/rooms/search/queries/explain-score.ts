/**
 * `GET /v1/scores/{id}/explanation`: why a stored score is what it is, recomputed from the logged vector with
 * the rule set that made it; no other data is read.
 */
import { z } from 'zod';
import {
  EXPLANATION_METHODS,
  type ExplanationMethod,
  explanationParts,
} from '../../../core/domain/explanation.ts';
import { scoreSchema, toScoreJson } from '../../../core/domain/score-record.ts';
import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import { explain } from '../../../core/score/explain.ts';
import type { JudgingModel, Models } from '../../../core/score/judge.ts';
import { inputsOf } from '../../../core/score/rules/rule-inputs.ts';
import { explainMargin, marginSchema } from '../../../core/score/scorecard/explain-margin.ts';
import { judgedVector } from '../../../core/score/scorecard/judge-by-table.ts';
import { verifyScore } from '../../../core/score/verify-score.ts';
import { readSlots } from '../../../core/store/metadata-fields/metadata-fields.ts';
import { findStoredRuleSet } from '../../../core/store/rule-sets/rule-sets.ts';
import { findTableOf } from '../../../core/store/scorecards/find-tables.ts';
import { readScoreRecord } from '../../../core/store/scores/read-scores.ts';
import {
  type Databases,
  isFound,
  readFrom,
} from '../../../kit/database/replica/choose-database.ts';
import { Failure } from '../../../kit/words/failure.ts';

export const explanationSchema = z
  .object({
    score: scoreSchema,
    ...explanationParts,
    scorecard: marginSchema.nullable().meta({
      description: 'The margin by the table of the day; null where none was there.',
    }),
    lineage: z.object({
      rule_set: z.string(),
      model: z.string().nullable(),
      attempts: z.int(),
      degradation: z.int(),
      created_at: z.iso.datetime(),
      scored_at: z.iso.datetime(),
      vector_crc32: z.string().meta({ description: 'Checksum stored with the vector, in hex.' }),
      differing: z.array(z.string()).meta({
        description:
          'What differs when the score is computed again from its vector, rule set and model, and the vector from its checksum; empty where nothing does.',
      }),
    }),
  })
  .meta({ id: 'Explanation' });
type ExplanationJson = z.infer<typeof explanationSchema>;

export const explanationParameters = z.strictObject({
  method: z.enum(EXPLANATION_METHODS).default('path').meta({
    description:
      "How the model's margin is taken apart: along the paths of its trees, as for reasons, or by exact Shapley values.",
  }),
});

/** The failure to explain a score that another version made. */
export const unknownRuleSet = (ruleSet: string) =>
  new Failure(
    'conflict',
    'UNKNOWN_VERSION',
    `the score was made with rule set ${ruleSet}, which this version lacks`,
  );

/**
 * Undefined where there is no score.
 * @throws Failure where this version lacks what made the score
 */
export async function explainScore(
  databases: Databases,
  models: Models,
  transactionId: string,
  method: ExplanationMethod,
): Promise<ExplanationJson | undefined> {
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs === undefined) return undefined;
  const record = await readFrom(
    databases,
    createdAtMs,
    (database) => readScoreRecord(database, transactionId, createdAtMs),
    isFound,
  );
  if (record === undefined) return undefined;
  const rules = await findStoredRuleSet(databases.primary, record.ruleSet);
  if (rules === undefined) throw unknownRuleSet(record.ruleSet);
  const inputs = inputsOf(rules, record, record.ruleInputs);
  const slots = await readSlots(databases.primary.query);
  const explained = explain({ ...record, inputs, slots }, rules);
  const judge = await findJudge(models, record.model);
  const { featuresCrc32: crc32, isVectorIntact } = record;
  const table = await findTableOf(databases.primary.query, record.scorecard);
  const judged = judgedVector(record.features, table, createdAtMs);
  const opinion = judge?.judge([judged])[0] ?? null;
  const score = toScoreJson(record);
  const { rule_set, model, attempts, degradation, created_at, scored_at } = score;
  return {
    score,
    ...explained,
    model: (await judge?.explain(judged, method)) ?? null,
    scorecard: table ? explainMargin(table, record.features, createdAtMs) : null,
    lineage: {
      rule_set,
      model,
      attempts,
      degradation,
      created_at,
      scored_at,
      vector_crc32: (crc32 >>> 0).toString(16).padStart(8, '0'),
      differing: [
        ...(isVectorIntact ? [] : ['vector_crc32']),
        ...verifyScore(record, rules, opinion, table),
      ],
    },
  };
}

/**
 * The model that made a score; null: the rules judged alone.
 * @throws Failure for a model that cannot be loaded
 */
export async function findJudge(
  models: Models,
  model: string | null,
): Promise<JudgingModel | null> {
  if (model === null) return null;
  const found = await models.find(model);
  if ('model' in found) return found.model;
  const detail = `the score was made by ${model}, which ${found.problem}`;
  throw new Failure('conflict', 'UNKNOWN_MODEL', detail);
}
