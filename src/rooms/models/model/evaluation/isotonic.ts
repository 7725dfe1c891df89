/**
 * Isotonic calibration: the non-decreasing probabilities that fit the labels best, found by pooling adjacent
 * violators (Ayer et al., 1955), with straight lines between the pools' centres.
 */
import { CALIBRATION_KNOTS_MAX, type Steps } from './calibration-json.ts';

/** Rows with the same margin, or pooled with their neighbours. */
type Pool = { margins: number; frauds: number; rows: number };

export function fitIsotonic(margins: Float64Array, labels: Uint8Array): Steps {
  const pools: Pool[] = [];
  for (const group of groupByMargin(margins, labels)) {
    pools.push(group);
    while (falls(pools)) merge(pools, pools.length - 1);
  }
  // Neighbours are merged until a file may hold them.
  while (pools.length > CALIBRATION_KNOTS_MAX) merge(pools, smallest(pools));
  return {
    margins: pools.map(({ margins: sum, rows }) => sum / rows),
    // One imagined row of each label keeps certainty out of small pools (Laplace).
    probabilities: rising(pools.map(({ frauds, rows }) => (frauds + 1 / 2) / (rows + 1))),
  };
}

export function isotonicAt({ margins, probabilities }: Steps, margin: number): number {
  let low = 0;
  let high = margins.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((margins[middle] ?? 0) <= margin) low = middle + 1;
    else high = middle;
  }
  const from = margins[low - 1];
  const to = margins[low];
  const below = probabilities[low - 1];
  const above = probabilities[low];
  if (from === undefined || below === undefined) return above ?? 0;
  if (to === undefined || above === undefined) return below;
  return below + ((above - below) * (margin - from)) / (to - from);
}

function* groupByMargin(margins: Float64Array, labels: Uint8Array): Generator<Pool> {
  const order = Array.from(margins.keys()).sort((a, b) => (margins[a] ?? 0) - (margins[b] ?? 0));
  let group: Pool | undefined;
  let last = Number.NaN;
  for (const row of order) {
    const margin = margins[row] ?? 0;
    const fraud = labels[row] ?? 0;
    if (group !== undefined && margin === last) {
      group.margins += margin;
      group.frauds += fraud;
      group.rows++;
      continue;
    }
    if (group !== undefined) yield group;
    group = { margins: margin, frauds: fraud, rows: 1 };
    last = margin;
  }
  if (group !== undefined) yield group;
}

/** Whether the last pool's share of frauds is at most that of the one before. */
function falls(pools: readonly Pool[]): boolean {
  const last = pools.at(-1);
  const before = pools.at(-2);
  if (last === undefined || before === undefined) return false;
  return last.frauds * before.rows <= before.frauds * last.rows;
}

/** Index of the pool that makes the smallest pair with the one before. */
function smallest(pools: readonly Pool[]): number {
  const rowsWithBefore = (at: number) => (pools[at]?.rows ?? 0) + (pools[at - 1]?.rows ?? 0);
  let found = 1;
  for (let at = 2; at < pools.length; at++) {
    if (rowsWithBefore(at) < rowsWithBefore(found)) found = at;
  }
  return found;
}

/** Merges a pool into the one before. */
function merge(pools: Pool[], at: number): void {
  const [pool] = pools.splice(at, 1);
  const before = pools[at - 1];
  if (pool === undefined || before === undefined) return;
  before.margins += pool.margins;
  before.frauds += pool.frauds;
  before.rows += pool.rows;
}

/** Smoothing may put a small pool below a large one before it. */
function rising(probabilities: readonly number[]): number[] {
  let most = 0;
  return probabilities.map((probability) => {
    most = Math.max(most, probability);
    return most;
  });
}
