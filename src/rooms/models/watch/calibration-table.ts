/** Predicted and observed shares: rows in groups of equal size by probability. */
import type { Outcomes } from '../watch-report.ts';

export type CalibrationTable = Outcomes['calibration'];

/** From the lowest probabilities to the highest; equal ones stay in one group. */
export function calibrationTable(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  groups: number,
): CalibrationTable {
  const rows = Array.from(probabilities, (probability, row) => ({
    probability,
    label: labels[row] ?? 0,
  })).sort((a, b) => a.probability - b.probability);
  const table: CalibrationTable = [];
  let start = 0;
  for (let group = 1; group <= groups; group++) {
    let end = Math.max(start, Math.round((rows.length * group) / groups));
    while (end > start && end < rows.length && isTie(rows[end - 1], rows[end])) end++;
    if (end === start) continue;
    const own = rows.slice(start, end);
    const mean = (of: 'probability' | 'label') =>
      own.reduce((sum, row) => sum + row[of], 0) / own.length;
    table.push({ rows: own.length, promised: mean('probability'), seen: mean('label') });
    start = end;
  }
  return table;
}

type Row = { readonly probability: number };
const isTie = (one: Row | undefined, next: Row | undefined) =>
  one?.probability === next?.probability;
