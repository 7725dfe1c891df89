/** Full trees on features and thresholds drawn evenly: no branch is more likely than its sibling. */

import type { Random } from '../../src/kit/random.ts';
import { layOutTrees, type TreeEnsemble } from '../../src/rooms/models/model/lay-out-trees.ts';

export type RandomTrees = {
  readonly trees: number;
  readonly depth: number;
  readonly featureNames: readonly string[];
  /** Thresholds lie between 0 and this. */
  readonly thresholdMax: number;
  /** Leaves lie between these. */
  readonly leafMin: number;
  readonly leafMax: number;
};

export function makeRandomTrees(shape: RandomTrees, random: Random): TreeEnsemble {
  const { trees, depth, featureNames, thresholdMax, leafMin, leafMax } = shape;
  const splits = 2 ** depth - 1;
  const nodes = 2 * splits + 1;
  const tree = () => {
    const between = (min: number, max: number) =>
      Float64Array.from({ length: nodes }, () => Math.fround(min + random() * (max - min)));
    return {
      path: 'tree',
      left: Int32Array.from({ length: nodes }, (_, node) => (node < splits ? 2 * node + 1 : -1)),
      right: Int32Array.from({ length: nodes }, (_, node) => (node < splits ? 2 * node + 2 : -1)),
      feature: between(0, 1).map((share) => Math.floor(share * featureNames.length)),
      threshold: between(0, thresholdMax),
      missingLeft: new Uint8Array(nodes),
      value: between(leafMin, leafMax),
      cover: between(0, 1),
      gain: new Float64Array(nodes),
    };
  };
  const head = {
    arithmetic: 'float32' as const,
    featureNames,
    baseScore: 0.5,
    baseMargin: 0,
    marginScale: 1,
    missingValue: new Float64Array(featureNames.length).fill(Number.NaN),
  };
  return layOutTrees(head, Array.from({ length: trees }, tree));
}
