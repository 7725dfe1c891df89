/**
 * Contributions cheap enough for every decision: at each split on a row's path the change of the mean leaf
 * below is attributed to the split's feature (Saabas, "Interpreting random forests", 2014). Unlike Shapley
 * values they favour features near the leaves; tree-shap.ts computes exact ones.
 */
import type { Batch } from '../batch.ts';
import type { TreeEnsemble } from '../trees/tree-ensemble.ts';
import { type Contributions, contributionsOf } from './contributions.ts';

/** @param margins of the same batch, from predictTrees */
export function pathContributions(
  ensemble: TreeEnsemble,
  batch: Batch,
  margins: Float64Array,
): Contributions {
  const features = ensemble.featureNames.length;
  return contributionsOf(ensemble, batch, margins, (inputs, values) => {
    for (const root of ensemble.roots) {
      for (let start = 0; start < values.length; start += features) {
        addPath(ensemble, root, inputs, values, start);
      }
    }
  });
}

/** Indexes of nodes and features were checked when the ensemble was laid out. */
function addPath(
  { feature, threshold, left, missing, value }: TreeEnsemble,
  root: number,
  inputs: Float64Array,
  values: Float64Array,
  start: number,
): void {
  let node = root;
  let split = feature[node] as number;
  while (split >= 0) {
    const input = inputs[start + split] as number;
    const limit = threshold[node] as number;
    let next = missing[node] as number;
    if (input < limit) next = left[node] as number;
    else if (input >= limit) next = (left[node] as number) + 1;
    const change = (value[next] as number) - (value[node] as number);
    values[start + split] = (values[start + split] as number) + change;
    node = next;
    split = feature[node] as number;
  }
}
