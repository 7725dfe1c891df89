/** Predicted and observed shares: rows in groups of equal size by probability. */

export type CalibrationGroup = {
  readonly rows: number;
  /** Mean probability. */
  readonly promised: number;
  /** Share of frauds. */
  readonly seen: number;
};

/** From the lowest probabilities to the highest; equal ones stay in one group. */
export function calibrationTable(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  groups: number,
): CalibrationGroup[] {
  const order = Array.from({ length: probabilities.length }, (_, row) => row);
  order.sort((a, b) => (probabilities[a] ?? 0) - (probabilities[b] ?? 0));
  const table: CalibrationGroup[] = [];
  let start = 0;
  for (let group = 1; group <= groups; group++) {
    let end = Math.max(start, Math.round((order.length * group) / groups));
    while (
      end > start &&
      end < order.length &&
      at(probabilities, order, end - 1) === at(probabilities, order, end)
    ) {
      end++;
    }
    if (end === start) continue;
    let promised = 0;
    let frauds = 0;
    for (let index = start; index < end; index++) {
      promised += at(probabilities, order, index);
      frauds += at(labels, order, index);
    }
    const rows = end - start;
    table.push({ rows, promised: promised / rows, seen: frauds / rows });
    start = end;
  }
  return table;
}

function at(values: ArrayLike<number>, order: readonly number[], index: number): number {
  return values[order[index] ?? -1] ?? Number.NaN;
}
