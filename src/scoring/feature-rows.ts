/**
 * The feature vectors of a batch, side by side in one block of memory. An insert sends the block as it is: in front
 * of each vector there is room for its length as Postgres' binary arrays have it, and in front of the first for the
 * array's header; 4 bytes behind each keep every number on a multiple of 8.
 */
import { FEATURE_COUNT } from './feature-schema.ts';

/** Doubles from one vector to the next. */
export const ROW_DOUBLES = FEATURE_COUNT + 1;
/** Doubles before the first vector: the array's header (20 bytes) and a length (4). */
const FIRST_ROW_AT = 3;

export type FeatureRows = {
  readonly count: number;
  /** FEATURE_COUNT doubles from `rowAt` on are a vector. */
  readonly values: Float64Array<ArrayBuffer>;
};

export function createFeatureRows(count: number): FeatureRows {
  return { count, values: new Float64Array(FIRST_ROW_AT + count * ROW_DOUBLES) };
}

/** Where a row's first feature stands in `values`. */
export function rowAt(index: number): number {
  return FIRST_ROW_AT + index * ROW_DOUBLES;
}

/** One row, as whatever reads a single vector takes it: a view, no copy. */
export function vectorOf({ values }: FeatureRows, index: number): Float64Array<ArrayBuffer> {
  const at = rowAt(index);
  return values.subarray(at, at + FEATURE_COUNT);
}
