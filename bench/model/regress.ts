/**
 * Least squares of relative errors, without negative factors: a step cannot give processor time back.
 * @param rows what each run counted
 * @param seen what each run took
 */
export function regress(rows: readonly (readonly number[])[], seen: readonly number[]): number[] {
  const scaled = rows.map((row, at) => row.map((value) => value / (seen[at] as number)));
  const factors = (rows[0] ?? []).map(() => 0);
  const left = (row: readonly number[]) =>
    1 - row.reduce((sum, value, at) => sum + value * (factors[at] as number), 0);
  // Factors take their best values one after the other; some hundred rounds settle the few factors of a role.
  for (let round = 0; round < ROUNDS; round++) {
    for (const at of factors.keys()) {
      let [product, square] = [0, 0];
      for (const row of scaled) {
        const value = row[at] as number;
        product += value * left(row);
        square += value * value;
      }
      if (square > 0) factors[at] = Math.max(0, (factors[at] as number) + product / square);
    }
  }
  return factors;
}

const ROUNDS = 2000;
