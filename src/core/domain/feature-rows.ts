/** Feature vectors, side by side or alone. */
import { FEATURE_COUNT } from './feature-schema.ts';

/** The feature vectors of a batch, side by side in one block of memory. */
export type FeatureRows = {
  readonly count: number;
  /** Doubles of a vector. */
  readonly width: number;
  /** A vector is `width` doubles from `rowAt` on. */
  readonly values: Float64Array<ArrayBuffer>;
};

/** Rows in which every feature is missing until somebody writes it. */
export function createFeatureRows(count: number, width: number = FEATURE_COUNT): FeatureRows {
  return { count, width, values: new Float64Array(count * width).fill(Number.NaN) };
}

/** Index of a row's first feature in `values`. */
export function rowAt({ width }: Pick<FeatureRows, 'width'>, index: number): number {
  return index * width;
}

/** A row, for readers of a single vector: a view, no copy. */
export function vectorOf(rows: FeatureRows, index: number): Float64Array<ArrayBuffer> {
  const at = rowAt(rows, index);
  return rows.values.subarray(at, at + rows.width);
}

/** A vector of an older schema as one of today: what nobody computed then is missing. */
export function padded(vector: Float64Array<ArrayBuffer>, width: number = FEATURE_COUNT) {
  if (vector.length >= width) return vector;
  const wide = new Float64Array(width).fill(Number.NaN);
  wide.set(vector);
  return wide;
}
