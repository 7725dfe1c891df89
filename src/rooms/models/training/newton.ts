/** Newton's method for the smooth convex losses of regressions. */
import type { FitStep } from './options.ts';

/** Steps: a handful suffice for a convex loss, and many more mean that it is another loss. */
const STEPS_MAX = 100;
/** Halvings of a step that overshoots, before the weights count as found. */
const HALVINGS_MAX = 40;
/** Change of every weight below which the weights count as found. */
const CHANGE_MIN = 1e-10;

type Loss = {
  readonly at: (weights: Float64Array) => number;
  /** The Newton step: to be subtracted from the weights. */
  readonly stepAt: (weights: Float64Array) => Float64Array;
};

/** The weights with the least loss; yields before each step, so that the caller can show progress, and stop. */
export function* minimise(loss: Loss, start: Float64Array): Generator<FitStep, Float64Array> {
  let weights = start;
  let least = loss.at(weights);
  for (let step = 1; step <= STEPS_MAX; step++) {
    yield { step, stepsMax: null, metric: null };
    const direction = loss.stepAt(weights);
    let share = 1;
    let next = weights;
    let nextLoss = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < HALVINGS_MAX && !(nextLoss <= least); halving++) {
      next = weights.map((weight, term) => weight - share * (direction[term] ?? 0));
      nextLoss = loss.at(next);
      share /= 2;
    }
    if (!(nextLoss <= least)) break;
    const change = Math.max(...next.map((weight, term) => Math.abs(weight - (weights[term] ?? 0))));
    weights = next;
    least = nextLoss;
    if (change < CHANGE_MIN) break;
  }
  return weights;
}

/**
 * Solves A x = b in place of b, by Cholesky's factors.
 * @param matrix row after row; only the lower half is read; overwritten
 * @returns false when A is not positive definite
 */
export function solveCholesky(matrix: Float64Array, vector: Float64Array): boolean {
  if (!factorise(matrix, vector.length)) return false;
  substitute(matrix, vector);
  return true;
}

/** Writes L, with L times its transpose = the matrix, into the matrix's lower half. */
function factorise(matrix: Float64Array, size: number): boolean {
  const at = (row: number, column: number) => matrix[row * size + column] ?? 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = at(row, column);
      for (let k = 0; k < column; k++) sum -= at(row, k) * at(column, k);
      if (row === column && !(sum > 0)) return false;
      matrix[row * size + column] = row === column ? Math.sqrt(sum) : sum / at(column, column);
    }
  }
  return true;
}

/** Solves L y = b downwards, then the transposed system upwards. */
function substitute(matrix: Float64Array, vector: Float64Array): void {
  const size = vector.length;
  const at = (row: number, column: number) => matrix[row * size + column] ?? 0;
  for (let row = 0; row < size; row++) {
    let sum = vector[row] ?? 0;
    for (let k = 0; k < row; k++) sum -= at(row, k) * (vector[k] ?? 0);
    vector[row] = sum / at(row, row);
  }
  for (let row = size - 1; row >= 0; row--) {
    let sum = vector[row] ?? 0;
    for (let k = row + 1; k < size; k++) sum -= at(k, row) * (vector[k] ?? 0);
    vector[row] = sum / at(row, row);
  }
}
