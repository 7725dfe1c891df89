/**
 * The distributions of a model's inputs and probability at its training: `reference` on its card, which later
 * traffic is compared with. It is stored as this JSON.
 */
import { z } from 'zod';

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

/**
 * The reference on a model's card; undefined where the card has none, as of a model that was trained elsewhere.
 */
export function readReference(
  card: Readonly<Record<string, unknown>> | null,
): ModelReference | undefined {
  return modelReferenceSchema.safeParse(card?.['reference']).data;
}
