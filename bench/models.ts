/** The cost of a model for each transaction: margins of a batch from an ensemble of the usual size. */

import { parseArguments } from '../src/kit/command/command.ts';
import { createRandom } from '../src/kit/random.ts';
import { treePredictor } from '../src/rooms/models/model/predict-trees.ts';
import type { Bench, BenchReport } from './support/bench.ts';
import { percentiles } from './support/percentiles.ts';
import { makeRandomTrees } from './support/random-trees.ts';

const FEATURES = 30;
const TREES = 200;
const DEPTHS = [4, 6, 8];
/** Transactions a call, as the worker would. */
const BATCH = 500;
const BATCHES = 400;
const WARM_UP_BATCHES = 100;

export const bench: Bench = {
  name: 'models',
  question: 'How long does a model of 200 full trees take for a transaction?',
  async *run(args, { signal }) {
    parseArguments(args, {});
    for (const depth of DEPTHS) {
      signal.throwIfAborted();
      yield measure(depth);
    }
  },
};

function measure(depth: number): BenchReport {
  const random = createRandom(`trees of depth ${depth}`);
  const featureNames = Array.from({ length: FEATURES }, (_, feature) => `feature_${feature}`);
  const shape = { trees: TREES, depth, featureNames, thresholdMax: 1, leafMin: 0, leafMax: 1 };
  const predict = treePredictor(makeRandomTrees(shape, random));
  const costs: number[] = [];
  for (let at = 0; at < WARM_UP_BATCHES + BATCHES; at++) {
    const values = Float64Array.from({ length: BATCH * FEATURES }, () => random());
    const began = performance.now();
    predict({ rows: BATCH, values });
    if (at >= WARM_UP_BATCHES) costs.push(((performance.now() - began) * 1000) / BATCH);
  }
  const { p50, p95, p99 } = percentiles(costs);
  return {
    caseName: `depth ${depth}`,
    inputs: { trees: TREES, depth, features: FEATURES, batch: BATCH, batches: BATCHES },
    settings: {},
    versions: {},
    perSecond: 1e6 / p50,
    figures: { margin_p50_us: p50, margin_p95_us: p95, margin_p99_us: p99 },
    ceilings: [],
    tables: [],
    breaches: [],
  };
}
