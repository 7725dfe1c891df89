/** What a model costs a transaction: margins of a batch from an ensemble of the usual size. */
import { parseArguments } from '../src/cli/command.ts';
import { layOutTrees } from '../src/models/trees/lay-out-trees.ts';
import { treePredictor } from '../src/models/trees/predict-trees.ts';
import type { TreeEnsemble } from '../src/models/trees/tree-ensemble.ts';
import { createRandom, type Random } from '../src/simulate/random.ts';
import type { Bench, BenchReport } from './support/bench.ts';
import { percentiles } from './support/percentiles.ts';

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
  const predict = treePredictor(makeEnsemble(depth, random));
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
    versions: {},
    perSecond: 1e6 / p50,
    figures: { margin_p50_us: p50, margin_p95_us: p95, margin_p99_us: p99 },
    ceilings: [],
    tables: [],
    breaches: [],
  };
}

/** Full trees on features and thresholds drawn evenly: no branch is more likely than its sibling. */
function makeEnsemble(depth: number, random: Random): TreeEnsemble {
  const splits = 2 ** depth - 1;
  const nodes = 2 * splits + 1;
  const tree = () => {
    const numbers = () => Float64Array.from({ length: nodes }, () => Math.fround(random()));
    return {
      place: 'tree',
      left: Int32Array.from({ length: nodes }, (_, node) => (node < splits ? 2 * node + 1 : -1)),
      right: Int32Array.from({ length: nodes }, (_, node) => (node < splits ? 2 * node + 2 : -1)),
      feature: numbers().map((share) => Math.floor(share * FEATURES)),
      threshold: numbers(),
      missingLeft: new Uint8Array(nodes),
      value: numbers(),
      cover: numbers(),
      gain: new Float64Array(nodes),
    };
  };
  const head = {
    arithmetic: 'float32' as const,
    featureNames: Array.from({ length: FEATURES }, (_, feature) => `feature_${feature}`),
    baseScore: 0.5,
    baseMargin: 0,
    marginScale: 1,
    zeroIsMissing: new Uint8Array(FEATURES),
  };
  return layOutTrees(head, Array.from({ length: TREES }, tree));
}
