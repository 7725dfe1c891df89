/**
 * Margins of a batch. Tree by tree over a block of rows, so that a tree's nodes stay in the processor's
 * nearest cache while its rows go through.
 */
import { type Batch, checkBatch } from '../batch.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';

/** Rows whose values and partial sums are in the nearest cache at the same time. */
const BLOCK_ROWS = 64;
/** LightGBM's kZeroThreshold, the float32 next to 1e-35: what is no farther from 0 counts as 0. */
const ZERO_MAX = Math.fround(1e-35);

/**
 * Adds the leaves that each row reaches to the ensemble's base, in the order of the trees and in the
 * ensemble's arithmetic.
 * @returns one margin a row
 */
export function predictTrees(ensemble: TreeEnsemble, batch: Batch): Float64Array {
  const features = ensemble.featureNames.length;
  checkBatch(batch, features);
  const margins = new Float64Array(batch.rows).fill(ensemble.baseMargin);
  const block = new Float64Array(BLOCK_ROWS * features);
  for (let start = 0; start < batch.rows; start += BLOCK_ROWS) {
    const end = Math.min(batch.rows, start + BLOCK_ROWS);
    loadInputs(ensemble, batch.values.subarray(start * features, end * features), block);
    addLeaves(ensemble, block, margins.subarray(start, end));
  }
  return margins;
}

/** Writes values as the ensemble's splits compare them: rounded to its arithmetic, missing as NaN. */
export function loadInputs(ensemble: TreeEnsemble, values: Float64Array, to: Float64Array): void {
  const { arithmetic, zeroIsMissing } = ensemble;
  const features = zeroIsMissing.length;
  if (arithmetic === 'float32') {
    for (let at = 0; at < values.length; at++) to[at] = Math.fround(values[at] ?? Number.NaN);
  } else {
    to.set(values);
  }
  for (let feature = 0; feature < features; feature++) {
    if (zeroIsMissing[feature] === 0) continue;
    for (let at = feature; at < values.length; at += features) {
      if (Math.abs(to[at] ?? Number.NaN) <= ZERO_MAX) to[at] = Number.NaN;
    }
  }
}

function addLeaves(ensemble: TreeEnsemble, block: Float64Array, margins: Float64Array): void {
  const { roots, feature, threshold, left, missing, value } = ensemble;
  const features = ensemble.featureNames.length;
  const rounds = ensemble.arithmetic === 'float32';
  for (let tree = 0; tree < roots.length; tree++) {
    const root = roots[tree] as number;
    for (let row = 0; row < margins.length; row++) {
      const start = row * features;
      let node = root;
      // Indexes of nodes and features were checked when the ensemble was laid out.
      let split = feature[node] as number;
      while (split >= 0) {
        const input = block[start + split] as number;
        const limit = threshold[node] as number;
        if (input < limit) node = left[node] as number;
        else if (input >= limit) node = (left[node] as number) + 1;
        else node = missing[node] as number;
        split = feature[node] as number;
      }
      const sum = (margins[row] as number) + (value[node] as number);
      margins[row] = rounds ? Math.fround(sum) : sum;
    }
  }
}
