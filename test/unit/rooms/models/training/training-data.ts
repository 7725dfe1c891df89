/** Seeded training sets whose frauds follow a rule with noise. */
import { createRandom } from '../../../../../src/kit/random.ts';
import type { TrainingSet } from '../../../../../src/rooms/models/training/rows.ts';

/** Frauds where a is high and b low; c is noise, and b is missing more often in frauds. */
export function drawTrainingSet(seed: string, rows: number): TrainingSet {
  const random = createRandom(seed);
  const a = new Float32Array(rows);
  const b = new Float32Array(rows);
  const c = new Float32Array(rows);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    a[row] = random() * 4 - 2;
    b[row] = Math.round(random() * 8);
    c[row] = random();
    const risk = ((a[row] ?? 0) > 0.5 ? 0.35 : 0.03) * ((b[row] ?? 0) < 3 ? 2 : 0.5);
    labels[row] = random() < risk ? 1 : 0;
    if (random() < (labels[row] === 1 ? 0.4 : 0.1)) b[row] = Number.NaN;
  }
  return { featureNames: ['a', 'b', 'c'], columns: [a, b, c], labels };
}

/** The set's rows as a batch. */
export function batchOf({ columns, labels }: TrainingSet) {
  const rows = labels.length;
  const values = new Float64Array(rows * columns.length);
  for (const [feature, column] of columns.entries()) {
    for (let row = 0; row < rows; row++) {
      values[row * columns.length + feature] = column[row] ?? Number.NaN;
    }
  }
  return { rows, values };
}
