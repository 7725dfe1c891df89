/** Feature vectors for tests; features without a value are missing. */
import {
  FEATURE_COUNT,
  type FeatureName,
  featureIndex,
} from '../../../../src/core/domain/feature-schema.ts';

export type NamedFeatures = Partial<Readonly<Record<FeatureName, number>>>;

export function makeVector(features: NamedFeatures): Float64Array {
  const vector = new Float64Array(FEATURE_COUNT).fill(Number.NaN);
  for (const [name, value] of Object.entries(features)) {
    vector[featureIndex(name as FeatureName)] = value;
  }
  return vector;
}
