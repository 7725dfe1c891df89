/** Rows of feature values, the form in which models take their input. */

/** `values` has `rows` rows of one value a feature, in the order of the model's features; NaN is missing. */
export type Batch = { readonly rows: number; readonly values: Float64Array };

/** Picks a model's features out of the engine's vectors. @param columns from bindFeatures */
export function gatherBatch(vectors: readonly Float64Array[], columns: Int32Array): Batch {
  const values = new Float64Array(vectors.length * columns.length);
  let at = 0;
  for (let row = 0; row < vectors.length; row++) {
    const vector = vectors[row] as Float64Array;
    for (let index = 0; index < columns.length; index++) {
      values[at++] = vector[columns[index] as number] ?? Number.NaN;
    }
  }
  return { rows: vectors.length, values };
}
