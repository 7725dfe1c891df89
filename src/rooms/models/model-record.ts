/** Registered models, what they do in corridors, and both on the wire (`/v1/models`). */
import { z } from 'zod';
import {
  corridorOrAll,
  overrideText,
  proposedHolding,
  reasonText,
} from '../../core/score/rollout/holding.ts';
import { stageSchema } from '../../core/score/rollout/stages.ts';

/** The limit on the features of a model. */
const HISTOGRAMS_MAX = 1000;

const valueHistogramSchema = z
  .object({
    name: z.string(),
    /** Rising cuts; bin b holds the values at or above exactly b of them. */
    cuts: z.array(z.number()).readonly(),
    /** Shares by bin, the last one of missing values; they sum up to 1. */
    shares: z.array(z.number().min(0).max(1)).readonly(),
  })
  .refine(({ cuts, shares }) => shares.length === cuts.length + 2, {
    error: 'must have two shares more than cuts',
  })
  .refine(({ cuts }) => cuts.every((cut, at) => at === 0 || cut > (cuts[at - 1] ?? cut)), {
    error: 'must have rising cuts',
  });
export type ValueHistogram = Readonly<z.infer<typeof valueHistogramSchema>>;

const modelReferenceSchema = z.object({
  /** Distributions in the training rows. */
  features: z.array(valueHistogramSchema).max(HISTOGRAMS_MAX).readonly(),
  /** Calibrated probabilities of rows that the model was not trained on. */
  probability: valueHistogramSchema,
});
export type ModelReference = Readonly<z.infer<typeof modelReferenceSchema>>;

export const MODEL = 'fraud@2026-11-20';

const proposed = { corridor: corridorOrAll, to: proposedHolding };
export const newProposalSchema = z
  .strictObject({ ...proposed, override: overrideText })
  .meta({ id: 'NewModelProposal' });

export const newEmergencySchema = z
  .strictObject({ ...proposed, reason: reasonText.meta({ description: 'Why it cannot wait.' }) })
  .meta({ id: 'NewModelEmergency' });

export const newRollbackSchema = z
  .strictObject({ corridor: corridorOrAll })
  .meta({ id: 'NewModelRollback' });

export const decidedRolloutsSchema = z
  .object({
    items: z.array(
      z.object({ corridor: z.string(), to: z.string(), cause: z.string(), model_id: z.string() }),
    ),
  })
  .meta({ id: 'DecidedRollouts' });

export const emergencySchema = decidedRolloutsSchema
  .extend({ approval_id: z.string().meta({ description: 'Another person may confirm it.' }) })
  .meta({ id: 'ModelEmergency' });

export const modelSchema = z
  .object({
    model: z.string(),
    model_id: z.string().meta({ description: 'SHA-256 of the artefact.' }),
    format: z.string(),
    feature_schema: z.int(),
    features: z.int(),
    artefact_bytes: z.int(),
    golden_vectors: z.int(),
    golden_source: z.string(),
    created_at: z.iso.datetime(),
    created_by: z.string(),
    does: z.string().meta({ description: 'In words.', example: 'active US-EG; shadow US-IN' }),
    corridors: z
      .array(z.object({ corridor: z.string(), state: z.string(), canary_percent: z.int() }))
      .meta({ description: 'Where it is more than staged.' }),
  })
  .meta({ id: 'Model' });

export const modelDetailSchema = modelSchema
  .extend({
    feature_names: z.array(z.string()),
    trained: z
      .object({ from: z.string(), to: z.string(), known_by: z.string() })
      .nullable()
      .meta({
        example: { from: '2026-08-01', to: '2026-10-31', known_by: '2026-11-14T00:00:00.000Z' },
      }),
    code_version: z.string().nullable(),
    parent: z.string().nullable(),
    card: z.record(z.string(), z.unknown()).nullable(),
    stage: stageSchema.nullable().meta({ description: 'Null: it decides nowhere.' }),
    rollouts: z
      .array(
        z.object({
          corridor: z.string(),
          state: z.string(),
          canary_percent: z.int(),
          cause: z.string(),
          approval_id: z.string().nullable(),
          proposed_by: z.string(),
          approved_by: z.string().nullable(),
          reason: z.string().nullable(),
          ends_at: z.iso.datetime().nullable().meta({
            description: 'An emergency ends then unless another person confirms its approval.',
          }),
          created_at: z.iso.datetime(),
        }),
      )
      .meta({ description: 'Oldest first.' }),
  })
  .meta({ id: 'ModelDetail' });
export type ModelJson = z.infer<typeof modelSchema>;
export type ModelDetailJson = z.infer<typeof modelDetailSchema>;

/**
 * Reads the reference on a model's card: distributions of inputs and probability in training, with which later traffic is compared.
 * Undefined where the card has none, as for a model that was trained elsewhere.
 */
export function readReference(
  card: Readonly<Record<string, unknown>> | null,
): ModelReference | undefined {
  return modelReferenceSchema.safeParse(card?.['reference']).data;
}
