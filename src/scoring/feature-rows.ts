/** The feature vectors of a batch, side by side in one block of memory. */
import { FEATURE_COUNT } from './feature-schema.ts';

export type FeatureRows = {
  readonly count: number;
  /** FEATURE_COUNT doubles from `rowAt` on are a vector. */
  readonly values: Float64Array<ArrayBuffer>;
};

export function createFeatureRows(count: number): FeatureRows {
  return { count, values: new Float64Array(count * FEATURE_COUNT) };
}

/** Where a row's first feature stands in `values`. */
export function rowAt(index: number): number {
  return index * FEATURE_COUNT;
}

/** One row, as whatever reads a single vector takes it: a view, no copy. */
export function vectorOf({ values }: FeatureRows, index: number): Float64Array<ArrayBuffer> {
  const at = rowAt(index);
  return values.subarray(at, at + FEATURE_COUNT);
}
