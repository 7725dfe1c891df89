/** Solves small symmetric positive definite systems: the Newton steps of regressions. */

/**
 * Solves A x = b in place of b.
 * @param matrix size * size numbers, row after row; only the lower half is read; overwritten
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
