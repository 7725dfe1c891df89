/** Decomposes a margin: a base that all rows share and the contribution of each feature's value. */
import { type Batch, checkBatch } from '../batch.ts';
import { loadInputs } from '../trees/predict-trees.ts';
import type { TreeEnsemble } from '../trees/tree-ensemble.ts';

export type Contributions = {
  /**
   * One base a row: the mean margin of the training rows, corrected by what rounding to float32 left between
   * the margin and the exact sum of its leaves. base + all values of a row = margin.
   */
  readonly base: Float64Array;
  /** Row after row, one value a feature; above 0 raises the risk. */
  readonly values: Float64Array;
};

/**
 * @param margins of the same batch, from predictTrees
 * @param add adds to the values what the inputs of the rows contribute; both row after row
 */
export function contributionsOf(
  ensemble: TreeEnsemble,
  batch: Batch,
  margins: Float64Array,
  add: (inputs: Float64Array, values: Float64Array) => void,
): Contributions {
  checkBatch(batch, ensemble.featureNames.length);
  const inputs = new Float64Array(batch.values.length);
  loadInputs(ensemble, batch.values, inputs);
  const values = new Float64Array(batch.values.length);
  add(inputs, values);
  const contributions = { base: new Float64Array(batch.rows), values };
  settleBase(contributions, margins);
  return contributions;
}

/** Moves into the base the difference that a row's values leave. */
function settleBase({ base, values }: Contributions, margins: Float64Array): void {
  const features = values.length / base.length;
  for (let row = 0; row < base.length; row++) {
    let sum = 0;
    for (let at = row * features; at < (row + 1) * features; at++) sum += values[at] ?? 0;
    base[row] = (margins[row] ?? 0) - sum;
  }
}
