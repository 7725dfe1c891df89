/**
 * Regression trees whose leaves are summed into a margin: the one form in which every tree model is
 * run, explained and written, whatever format it was read from.
 *
 * Nodes of all trees stand in one set of arrays, tree after tree, within a tree in order of depth, a
 * right child directly behind its left sibling:
 *
 *     roots        0              3
 *     node         0    1    2    3   ...
 *     feature      4   -1   -1    0        -1 is a leaf
 *     threshold  1.5               7
 *     left         1   -1   -1    4        right is left + 1
 *     missing      2   -1   -1    4        the child that NaN goes to
 *     value      .02  -.1   .3             of a leaf; else the mean of its leaves by cover
 */

export type TreeEnsemble = {
  /**
   * float32 rounds inputs and every partial sum to float32, as XGBoost does (its thresholds and leaves
   * are float32 already); float64 rounds nothing, as LightGBM.
   */
  readonly arithmetic: 'float32' | 'float64';
  readonly featureNames: readonly string[];
  /** XGBoost's base_score, a probability: the margin of no trees is its log-odds. */
  readonly baseScore: number;
  /** The sum starts here, in the ensemble's arithmetic. */
  readonly baseMargin: number;
  /** probability = logistic(marginScale * margin); LightGBM's `sigmoid`. */
  readonly marginScale: number;
  /** By feature, 1 where 0 counts as missing (LightGBM's missing type Zero). */
  readonly zeroIsMissing: Uint8Array;
  readonly roots: Int32Array;
  readonly feature: Int32Array;
  /** A value below this goes left. */
  readonly threshold: Float64Array;
  readonly left: Int32Array;
  readonly missing: Int32Array;
  readonly value: Float64Array;
  /** Weight of the training rows that reached the node: XGBoost's sum of hessians, LightGBM's count. */
  readonly cover: Float64Array;
  /** Reduction of the training loss by the split; 0 for leaves. */
  readonly gain: Float64Array;
};

/** The parts of an ensemble besides its nodes. */
export type EnsembleHead = Pick<
  TreeEnsemble,
  'arithmetic' | 'featureNames' | 'baseScore' | 'baseMargin' | 'marginScale' | 'zeroIsMissing'
>;

/** Index after the last node of a tree. */
export function treeEnd({ roots, feature }: TreeEnsemble, tree: number): number {
  return roots[tree + 1] ?? feature.length;
}

/** The longest path from each tree's root to a leaf, in splits. */
export function treeDepths(ensemble: TreeEnsemble): Uint16Array {
  const { feature, left, roots } = ensemble;
  const depth = new Uint16Array(feature.length);
  return Uint16Array.from(roots, (root, tree) => {
    let deepest = 0;
    for (let node = root; node < treeEnd(ensemble, tree); node++) {
      const child = left[node] ?? -1;
      if (child < 0) continue;
      const below = (depth[node] ?? 0) + 1;
      depth[child] = below;
      depth[child + 1] = below;
      deepest = Math.max(deepest, below);
    }
    return deepest;
  });
}
