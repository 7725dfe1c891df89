/** Logistic regression on standardised inputs: one weight a feature, in float64, summed in order. */
import { type Batch, checkBatch } from './batch.ts';

export type LogisticModel = {
  readonly intercept: number;
  readonly features: readonly LogisticFeature[];
};

export type LogisticFeature = {
  readonly name: string;
  /** Mean over the training rows that have the feature. */
  readonly mean: number;
  /** Their standard deviation; above 0. */
  readonly deviation: number;
  /** Change of the margin per standard deviation above the mean. */
  readonly weight: number;
  /** Margin where the feature is missing, instead of the weighted one. */
  readonly missingWeight: number;
};

/**
 * Most deviations from the mean that count: one absurd amount must not outweigh every other feature, and
 * infinity must not become the margin.
 */
const STANDARD_MAX = 10;

/** (value - mean) / deviation, within STANDARD_MAX; NaN stays NaN. */
export function standardise(value: number, mean: number, deviation: number): number {
  return Math.min(STANDARD_MAX, Math.max(-STANDARD_MAX, (value - mean) / deviation));
}

/** @returns one margin a row */
export function predictLogistic(
  { intercept, features }: LogisticModel,
  batch: Batch,
): Float64Array {
  checkBatch(batch, features.length);
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
  return Number.isNaN(standard) ? feature.missingWeight : feature.weight * standard;
}
