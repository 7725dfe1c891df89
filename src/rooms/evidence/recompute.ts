/** Computes the score of a bundle again from the bundle's vector, by the rule set and the model that the bundle names. */
import { z } from 'zod';
import { type Reason, VERDICTS } from '../../core/domain/score-record.ts';
import type { Models } from '../../core/score/judge.ts';
import { verifyScore } from '../../core/score/verify-score.ts';
import { findStoredRuleSet } from '../../core/store/rule-sets/rule-sets.ts';
import { toVector } from '../../core/store/scores/vector-bytes.ts';
import type { Database } from '../../kit/database/pool.ts';

/** JSON in a text, as it was hashed. */
const jsonText = <Value>(schema: z.ZodType<Value>) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);

const contentSchema = z.object({
  kind: z.literal('score'),
  v: z.literal(2),
  id: z.string(),
  corridor: z.string(),
  score: z.number(),
  risk: z.number(),
  probability: z.number().nullable(),
  verdict: z.enum(VERDICTS),
  reasons: jsonText(
    z.array(z.object({ code: z.string(), detail: z.string(), contribution: z.number() })),
  ) satisfies z.ZodType<Reason[]>,
  features: z.hex(),
  feature_schema: z.number(),
  rule_inputs: jsonText(
    z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  ).nullable(),
  rule_set: z.string(),
  model: z.string().nullable(),
});
/** A rule set or a model in the bundle has the hash of its source or artefact. */
const namedSchema = z.object({
  kind: z.enum(['rule-set', 'model']),
  id: z.string(),
  source_sha256: z.string().optional(),
  artefact_sha256: z.string().optional(),
});

export type Recomputed = {
  readonly id: string;
  /** Fields that differ; empty where the score is the same, bit for bit. */
  readonly different: readonly string[];
};

/** @param contents of the proofs of a bundle @throws ZodError where the bundle proves no score */
export async function recompute(
  database: Database,
  models: Models,
  contents: readonly unknown[],
): Promise<Recomputed> {
  const [first, ...others] = contents;
  const of = contentSchema.parse(first);
  const vector = toVector(Buffer.from(of.features, 'hex'));
  const ruleSet = await findStoredRuleSet(database, of.rule_set);
  const found = of.model === null ? undefined : await models.find(of.model);
  const model = found !== undefined && 'model' in found ? found.model : undefined;
  const opinion = of.model === null ? null : model?.judge([vector])[0];
  const stored = {
    corridor: of.corridor,
    score: of.score,
    risk: of.risk,
    probability: of.probability,
    verdict: of.verdict,
    reasons: of.reasons,
    features: vector,
    featureSchema: of.feature_schema,
    ruleInputs: of.rule_inputs,
    ruleSet: of.rule_set,
    model: of.model,
  };
  const different = verifyScore(stored, ruleSet, opinion);
  for (const other of others) {
    const named = namedSchema.parse(other);
    const hash = named.kind === 'model' ? model?.modelId : ruleSet?.sha256;
    const sealed = named.kind === 'model' ? named.artefact_sha256 : named.source_sha256;
    // A rule set that people derived for a time has the source of its base.
    if (hash !== sealed) different.push(`${named.kind} ${named.id}`);
  }
  return { id: of.id, different };
}
