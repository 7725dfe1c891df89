/**
 * How a model's inputs and its probability were spread when it was trained: `reference` on its card,
 * what later traffic is compared with. JSON as it stands.
 */
import { z } from 'zod';

/** As many as a model may have features. */
const HISTOGRAMS_MAX = 1000;

export const valueHistogramSchema = z
  .object({
    name: z.string(),
    /** Rising; bin b holds the values that are not below b of them. */
    cuts: z.array(z.number()).readonly(),
    /** By bin, the last one of missing values; together 1. */
    shares: z.array(z.number().min(0).max(1)).readonly(),
  })
  .refine(({ cuts, shares }) => shares.length === cuts.length + 2, {
    error: 'must have two shares more than cuts',
  })
  .refine(({ cuts }) => cuts.every((cut, at) => at === 0 || cut > (cuts[at - 1] ?? cut)), {
    error: 'must have rising cuts',
  });
export type ValueHistogram = Readonly<z.infer<typeof valueHistogramSchema>>;

export const modelReferenceSchema = z.object({
  /** Of the training rows. */
  features: z.array(valueHistogramSchema).max(HISTOGRAMS_MAX).readonly(),
  /** Calibrated, of rows that the model was not trained on. */
  probability: valueHistogramSchema,
});
export type ModelReference = Readonly<z.infer<typeof modelReferenceSchema>>;

/** The reference on a model's card; undefined on one that has none, as of a model that was trained elsewhere. */
export function readReference(
  card: Readonly<Record<string, unknown>> | null,
): ModelReference | undefined {
  return modelReferenceSchema.safeParse(card?.['reference']).data;
}
