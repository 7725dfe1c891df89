/** Which features a model leans on, as shares that add up to 1. */
import type { LogisticModel } from '../../model/logistic-model.ts';
import type { TreeEnsemble } from '../../model/trees/tree-ensemble.ts';

export type Importance = { readonly name: string; readonly share: number };

/** By gain: the reduction of the training loss by all splits on a feature. Greatest first. */
export function treeImportance({ featureNames, feature, gain }: TreeEnsemble): Importance[] {
  const gains = new Float64Array(featureNames.length);
  for (const [node, of] of feature.entries()) {
    if (of >= 0) gains[of] = (gains[of] ?? 0) + (gain[node] ?? 0);
  }
  return shareOut(featureNames.map((name, index) => ({ name, weight: gains[index] ?? 0 })));
}

/** By the absolute weight on the standardised value. Greatest first. */
export function logisticImportance({ features }: LogisticModel): Importance[] {
  return shareOut(features.map(({ name, weight }) => ({ name, weight: Math.abs(weight) })));
}

function shareOut(weights: readonly { name: string; weight: number }[]): Importance[] {
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  return weights
    .map(({ name, weight }) => ({ name, share: total > 0 ? weight / total : 0 }))
    .sort((a, b) => b.share - a.share);
}
