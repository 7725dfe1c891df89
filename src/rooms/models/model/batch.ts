/** Rows of feature values, the form in which models take their input. */

import type { JudgedVector } from '../../../core/score/scorecard/judge-by-table.ts';

/** `values` has `rows` rows of one value a feature, in the order of the model's features; NaN is missing. */
export type Batch = { readonly rows: number; readonly values: Float64Array };

/** Picks a model's features out of the engine's vectors. @param columns from bindFeatures; -1 is the margin of the scorecard */
export function gatherBatch(
  judged: readonly Pick<JudgedVector, 'vector' | 'margin'>[],
  columns: Int32Array,
): Batch {
  const values = new Float64Array(judged.length * columns.length);
  let at = 0;
  for (const { vector, margin } of judged) {
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index] as number;
      values[at++] = column < 0 ? margin() : (vector[column] ?? Number.NaN);
    }
  }
  return { rows: judged.length, values };
}
