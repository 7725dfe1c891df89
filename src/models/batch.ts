/** Rows of feature values, the form in which models take their input. */

/** `values` has `rows` rows of one value a feature, in the order of the model's features; NaN is missing. */
export type Batch = { readonly rows: number; readonly values: Float64Array };

/** Throws an Error for a batch of other features than the model's. */
export function checkBatch({ rows, values }: Batch, features: number): void {
  if (values.length !== rows * features) {
    throw new Error(`${values.length} values are not ${rows} rows of ${features} features`);
  }
}
