/**
 * Sums of gradients and hessians by bin, for every feature of a node:
 *
 *     [feature][bin 0..255][gradient, hessian]
 */
import type { BinnedColumn } from '../bins.ts';

const BINS = 256;
/** Numbers of one feature. */
export const FEATURE_STRIDE = BINS * 2;

/** First and second derivative of the loss by the margin, one a row. */
export type Gradients = { readonly gradient: Float32Array; readonly hessian: Float32Array };

/** Copies of a node's gradients in the order of its rows, so that every feature reads them sequentially. */
export type Scratch = Gradients;

/** Fills a histogram from the rows of a node; features that are not `used` are left as they are. */
export function fillHistogram(
  histogram: Float64Array,
  columns: readonly BinnedColumn[],
  used: readonly number[],
  rows: Int32Array,
  gradients: Gradients,
  scratch: Scratch,
): void {
  gather(gradients.gradient, rows, scratch.gradient);
  gather(gradients.hessian, rows, scratch.hessian);
  for (const feature of used) {
    const column = columns[feature];
    if (column === undefined) continue;
    const start = feature * FEATURE_STRIDE;
    const part = histogram.subarray(start, start + FEATURE_STRIDE).fill(0);
    addRows(part, column.bins, rows, scratch);
  }
}

/** A node's histogram minus that of one child is the other child's. */
export function subtractHistogram(
  histogram: Float64Array,
  part: Float64Array,
  used: readonly number[],
): void {
  for (const feature of used) {
    const end = (feature + 1) * FEATURE_STRIDE;
    for (let at = feature * FEATURE_STRIDE; at < end; at++) {
      histogram[at] = (histogram[at] as number) - (part[at] as number);
    }
  }
}

function gather(from: Float32Array, rows: Int32Array, to: Float32Array): void {
  for (let at = 0; at < rows.length; at++) to[at] = from[rows[at] as number] as number;
}

/** The hot loop of training: indexes come from the trainer's own arrays and are within bounds. */
function addRows(part: Float64Array, bins: Uint8Array, rows: Int32Array, scratch: Scratch): void {
  const { gradient, hessian } = scratch;
  for (let at = 0; at < rows.length; at++) {
    const slot = (bins[rows[at] as number] as number) << 1;
    part[slot] = (part[slot] as number) + (gradient[at] as number);
    part[slot + 1] = (part[slot + 1] as number) + (hessian[at] as number);
  }
}
