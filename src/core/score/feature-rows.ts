/** The feature vectors of a batch, side by side in one block of memory. */
import { FEATURE_COUNT } from '../domain/feature-schema.ts';

export type FeatureRows = {
  readonly count: number;
  /** A vector is FEATURE_COUNT doubles from `rowAt` on. */
  readonly values: Float64Array<ArrayBuffer>;
};

export function createFeatureRows(count: number): FeatureRows {
  return { count, values: new Float64Array(count * FEATURE_COUNT) };
}

/** Index of a row's first feature in `values`. */
export function rowAt(index: number): number {
  return index * FEATURE_COUNT;
}

/** A row, for readers of a single vector: a view, no copy. */
export function vectorOf({ values }: FeatureRows, index: number): Float64Array<ArrayBuffer> {
  const at = rowAt(index);
  return values.subarray(at, at + FEATURE_COUNT);
}
