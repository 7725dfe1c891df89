/**
 * `GET /v1/scores/{id}/explanation`: why a stored score is what it is, recomputed from the logged
 * vector with the very rule set that made it; nothing is looked up again.
 */
import { z } from 'zod';
import type { Explanation } from '../domain/explanation.ts';
import { type ScoreRecord, scoreSchema, toScoreJson } from '../domain/score-record.ts';
import { createdAtMsOf } from '../domain/transaction-id.ts';
import type * as ScoreSearch from '../store/score-search.ts';
import { type Databases, readOne } from './choose-database.ts';

export const explanationSchema = z
  .object({
    score: scoreSchema,
    feature_schema: z.int(),
    features: z
      .array(
        z.object({
          name: z.string(),
          value: z.number().nullable().meta({ description: 'Null when it was missing.' }),
          unit: z.string(),
          description: z.string(),
        }),
      )
      .meta({ description: 'The vector as logged with the score.' }),
    rules: z
      .array(
        z.object({
          id: z.string(),
          code: z.string(),
          summary: z.string(),
          fired: z.boolean(),
          value: z.number().nullable().meta({ description: 'What the bands judged.' }),
          band: z
            .number()
            .nullable()
            .meta({ description: 'Lower bound of the band it fell into.' }),
          weight: z.number().meta({ description: 'What it added to the risk, 0..1.' }),
          detail: z.string().nullable(),
        }),
      )
      .meta({ description: 'Every rule of the rule set, fired or not.' }),
    lineage: z.object({
      rule_set: z.string(),
      model: z.string().nullable(),
      attempts: z.int(),
      degradation: z.int(),
      created_at: z.iso.datetime(),
      scored_at: z.iso.datetime(),
    }),
  })
  .meta({ id: 'Explanation' });
export type ExplanationJson = z.infer<typeof explanationSchema>;

export type ExplainScoreDependencies = {
  readonly databases: Databases;
  readonly readScoreRecord: typeof ScoreSearch.readScoreRecord;
  /** Undefined when this build does not carry the rule set or feature schema. */
  readonly explain: (record: ScoreRecord) => Explanation | undefined;
};

export type ExplainResult =
  | { readonly kind: 'explained'; readonly explanation: ExplanationJson }
  | { readonly kind: 'not-scored' }
  | { readonly kind: 'unknown-version'; readonly ruleSet: string; readonly featureSchema: number };

export async function explainScore(
  { databases, readScoreRecord, explain }: ExplainScoreDependencies,
  transactionId: string,
): Promise<ExplainResult> {
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs === undefined) return { kind: 'not-scored' };
  const record = await readOne(databases, createdAtMs, (database) =>
    readScoreRecord(database, transactionId, createdAtMs),
  );
  if (record === undefined) return { kind: 'not-scored' };
  const explained = explain(record);
  if (explained === undefined) {
    const { ruleSet, featureSchema } = record;
    return { kind: 'unknown-version', ruleSet, featureSchema };
  }
  const score = toScoreJson(record);
  const { rule_set, model, attempts, degradation, created_at, scored_at } = score;
  const explanation = {
    score,
    feature_schema: explained.featureSchema,
    features: [...explained.features],
    rules: [...explained.rules],
    lineage: { rule_set, model, attempts, degradation, created_at, scored_at },
  };
  return { kind: 'explained', explanation };
}
