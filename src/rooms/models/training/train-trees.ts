/**
 * Gradient-boosted trees on the logistic loss. Each tree is grown on the gradients that the trees before
 * it left; margins are kept in float32 and summed in the order of the trees, so that they are those of
 * the finished ensemble, and of its file, bit for bit.
 */
import { logistic, naturalLog } from '../../../kit/elementary-functions.ts';
import type { Random } from '../../../kit/random.ts';
import { type BinnedColumn, binColumn, findCuts, MISSING_BIN } from '../bins.ts';
import { layOutTrees, type TreeEnsemble } from '../model/lay-out-trees.ts';
import { xgboostHead } from '../model/read-xgboost.ts';
import { averagePrecisionOf, logLoss, thresholdsOf } from './evaluation/ranking.ts';
import { type GrownTree, growTree } from './grow-tree.ts';
import type { FitStep, TreeOptions } from './options.ts';
import { countFrauds, type TrainingSet } from './rows.ts';

/** XGBoost's default, whose log-odds are 0 in every library; the prior is in the first tree's leaves. */
const BASE_SCORE = 0.5;

/**
 * Trains round by round, so that the caller can show progress, and stop. The same inputs and random numbers give the same
 * bits. The result has the trees up to the best round; all of them without a validation set.
 * @param validation of a later time, with the same features; null trains all rounds
 */
export function* growTrees(
  training: TrainingSet,
  validation: TrainingSet | null,
  options: TreeOptions,
  random: Random,
): Generator<FitStep, TreeEnsemble> {
  const { featureNames } = training;
  const columns = training.columns.map((column) =>
    binned(column, findCuts(column, options.binsMax)),
  );
  const later = validation?.columns.map((column, index) =>
    binned(column, columns[index]?.cuts ?? new Float32Array(0)),
  );
  const margins = new Float32Array(training.labels.length);
  const laterMargins = new Float32Array(validation?.labels.length ?? 0);
  const grow = createGrower(training, columns, options, random);
  const trees: GrownTree[] = [];
  let best = Number.NEGATIVE_INFINITY;
  let bestRounds = 0;
  while (trees.length < options.rounds) {
    const tree = grow(margins, trees.length === 0);
    addTree(tree, columns, margins);
    trees.push(tree);
    if (validation === null || later === undefined) {
      yield { step: trees.length, stepsMax: options.rounds, metric: null };
      continue;
    }
    addTree(tree, later, laterMargins);
    const metric =
      options.metric === 'log-loss'
        ? -logLoss(Float64Array.from(laterMargins, logistic), validation.labels)
        : averagePrecisionOf(thresholdsOf({ scores: laterMargins, labels: validation.labels }));
    yield { step: trees.length, stepsMax: options.rounds, metric };
    if (metric > best) {
      best = metric;
      bestRounds = trees.length;
    } else if (trees.length - bestRounds >= options.patienceRounds) {
      break;
    }
  }
  const kept = validation === null ? trees : trees.slice(0, bestRounds);
  return layOutTrees(xgboostHead(featureNames, BASE_SCORE), kept);
}

/** Returns a function that grows the next tree on the gradients of the margins so far. */
function createGrower(
  training: TrainingSet,
  columns: readonly BinnedColumn[],
  options: TreeOptions,
  random: Random,
): (margins: Float32Array, first: boolean) => GrownTree {
  const { featureNames, labels } = training;
  const rows = labels.length;
  const monotone = Int8Array.from(featureNames, (name) => options.monotone[name] ?? 0);
  const gradients = { gradient: new Float32Array(rows), hessian: new Float32Array(rows) };
  const scratch = {
    gradient: new Float32Array(rows),
    hessian: new Float32Array(rows),
    rows: new Int32Array(rows),
  };
  const order = new Int32Array(rows);
  const frauds = countFrauds(labels);
  // Log-odds of a fraud among the weighted rows.
  const prior = naturalLog((frauds * options.fraudWeight) / (rows - frauds));
  return (margins, first) => {
    const offset = first ? prior : 0;
    // Derivatives of the logistic loss: p - y and p (1 - p), times the row's weight.
    for (let row = 0; row < rows; row++) {
      const probability = logistic((margins[row] as number) + offset);
      const fraud = labels[row] === 1;
      const weight = fraud ? options.fraudWeight : 1;
      gradients.gradient[row] = weight * (fraud ? probability - 1 : probability);
      gradients.hessian[row] = weight * probability * (1 - probability);
    }
    const drawn = drawRows(order, options.rowShare, random);
    const used = drawFeatures(featureNames.length, options.featureShare, random);
    const search = { columns, used, monotone, options };
    return growTree({ search, gradients, rows: drawn, scratch, offset });
  };
}

function binned(column: Float32Array, cuts: Float32Array): BinnedColumn {
  return { cuts, bins: binColumn(column, cuts) };
}

/** Draws rows, each with the same chance; in rising order. At least one. */
function drawRows(order: Int32Array, share: number, random: Random): Int32Array {
  let drawn = 0;
  for (let row = 0; row < order.length; row++) {
    if (share >= 1 || random() < share) order[drawn++] = row;
  }
  if (drawn === 0) order[drawn++] = 0;
  return order.subarray(0, drawn);
}

/** A fixed number of features, in rising order: a partial Fisher-Yates shuffle. */
function drawFeatures(count: number, share: number, random: Random): number[] {
  const all = Array.from({ length: count }, (_, feature) => feature);
  const wanted = Math.max(1, Math.round(count * share));
  if (wanted >= count) return all;
  for (let at = 0; at < wanted; at++) {
    const other = at + Math.floor(random() * (count - at));
    const swapped = all[at] ?? 0;
    all[at] = all[other] ?? 0;
    all[other] = swapped;
  }
  return all.slice(0, wanted).sort((a, b) => a - b);
}

/** Adds the leaf that each row reaches; typed arrays of float32 round every sum. */
function addTree(tree: GrownTree, columns: readonly BinnedColumn[], margins: Float32Array): void {
  const left = Int32Array.from(tree.left);
  const right = Int32Array.from(tree.right);
  const value = Float32Array.from(tree.value);
  const splitBin = Uint8Array.from(tree.splitBin);
  const missingLeft = Uint8Array.from(tree.missingLeft);
  const bins = Array.from(tree.feature, (feature) => columns[feature]?.bins ?? new Uint8Array(0));
  for (let row = 0; row < margins.length; row++) {
    let node = 0;
    while ((left[node] as number) >= 0) {
      const bin = (bins[node] as Uint8Array)[row] as number;
      const goesLeft =
        bin === MISSING_BIN ? missingLeft[node] === 1 : bin <= (splitBin[node] as number);
      node = (goesLeft ? left[node] : right[node]) as number;
    }
    margins[row] = (margins[row] as number) + (value[node] as number);
  }
}
