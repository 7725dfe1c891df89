/**
 * Logistic regression on standardised inputs, in a format of our own:
 *
 *     { "format": "risk-logistic", "version": 1, "intercept": -4.6,
 *       "features": [{ "name": "amount", "mean": 53.6, "deviation": 42.3,
 *                      "weight": 0.81, "missing_weight": 0 }, …] }
 *
 * margin = intercept + the sum over the features of
 *   weight * clip((value - mean) / deviation, -10, 10), or missing_weight where the value is NaN,
 * in float64 and in the order of the list; probability = 1 / (1 + e^-margin).
 */
import { z } from 'zod';
import type { Batch } from './batch.ts';
import { checkFeatureNames, checkShape } from './bounds.ts';

export const LOGISTIC_FORMAT = 'risk-logistic';
/**
 * Most deviations from the mean that count: one absurd amount must not outweigh every other feature, and infinity must not
 * become the margin.
 */
const STANDARD_MAX = 10;

const feature = z.object({
  name: z.string(),
  /** Mean and standard deviation over the training rows that have the feature. */
  mean: z.number(),
  deviation: z.number().positive('must be above 0'),
  /** Change of the margin per standard deviation above the mean. */
  weight: z.number(),
  /** Margin where the feature is missing, instead of the weighted one. */
  missing_weight: z.number(),
});
type LogisticFeature = Readonly<z.infer<typeof feature>>;

const file = z.object({
  format: z.literal(LOGISTIC_FORMAT),
  version: z.literal(1),
  intercept: z.number(),
  features: z.array(feature),
});
export type LogisticModel = {
  readonly intercept: number;
  readonly features: readonly LogisticFeature[];
};

/** @throws Failure `MODEL_INVALID` */
export function readLogistic(parsed: unknown): LogisticModel {
  const { intercept, features } = checkShape(file, parsed);
  const names = features.map(({ name }) => name);
  checkFeatureNames('features', names);
  return { intercept, features };
}

/** Reading the text back gives the same numbers, bit for bit. */
export function writeLogistic(model: LogisticModel): string {
  return `${JSON.stringify({ format: LOGISTIC_FORMAT, version: 1, ...model }, null, 1)}\n`;
}

/** (value - mean) / deviation, within STANDARD_MAX; NaN stays NaN. */
export function standardise(value: number, mean: number, deviation: number): number {
  return Math.min(STANDARD_MAX, Math.max(-STANDARD_MAX, (value - mean) / deviation));
}

/** @returns one margin a row */
export function predictLogistic(
  { intercept, features }: LogisticModel,
  batch: Batch,
): Float64Array {
  const margins = new Float64Array(batch.rows).fill(intercept);
  for (let row = 0; row < batch.rows; row++) {
    let margin = intercept;
    for (const [index, feature] of features.entries()) {
      margin += contributionOf(feature, batch.values[row * features.length + index] ?? Number.NaN);
    }
    margins[row] = margin;
  }
  return margins;
}

/** Contribution of a feature's value to the margin. */
export function contributionOf(feature: LogisticFeature, value: number): number {
  const standard = standardise(value, feature.mean, feature.deviation);
  return Number.isNaN(standard) ? feature.missing_weight : feature.weight * standard;
}
