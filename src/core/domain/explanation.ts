/** Why a score is what it is, by its rule set (score/explain.ts) and its model, as answers have it. */
import { z } from 'zod';

/** How a model's margin is taken apart: along the way through its trees, or exactly, by Shapley values. */
export const EXPLANATION_METHODS = ['path', 'shapley'] as const;
export type ExplanationMethod = (typeof EXPLANATION_METHODS)[number];

export const explanationParts = {
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
        band: z.number().nullable().meta({ description: 'Lower bound of the band it fell into.' }),
        weight: z.number().meta({ description: 'What it added to the risk, 0..1.' }),
        detail: z.string().nullable(),
      }),
    )
    .meta({ description: 'Every rule of the rule set, fired or not.' }),
  model: z
    .object({
      model: z.string(),
      method: z.enum(EXPLANATION_METHODS),
      base: z.number(),
      margin: z.number().meta({ description: 'Log-odds: base and all contributions.' }),
      probability: z.number().meta({ description: 'Of the margin, calibrated.' }),
      contributions: z
        .array(
          z.object({
            feature: z.string(),
            value: z.number().nullable(),
            contribution: z.number(),
            detail: z.string(),
          }),
        )
        .meta({ description: 'Every feature of the model, the weightiest first.' }),
    })
    .meta({ id: 'ModelExplanation' })
    .nullable()
    .meta({ description: 'Null where the rules judged alone.' }),
};

export type ExplanationParts = z.infer<z.ZodObject<typeof explanationParts>>;
/** By the rules alone. */
export type Explanation = Omit<ExplanationParts, 'model'>;
export type RuleOutcome = ExplanationParts['rules'][number];
export type ModelExplanation = NonNullable<ExplanationParts['model']>;
