/**
 * Goal: a model is calibrated and judged on rows that it has not seen. Method: accounts whose rows are all
 * alike, so that a model that has seen one of them knows the others.
 */

import { expect, test } from 'vitest';
import { lastOf } from '../../../../../src/kit/process/steps.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { calibrate } from '../../../../../src/rooms/models/model/calibration.ts';
import { DEFAULT_BANDS } from '../../../../../src/rooms/models/training/bands.ts';
import { buildModel } from '../../../../../src/rooms/models/training/build-model.ts';
import { marginsOf } from '../../../../../src/rooms/models/training/fit-artefact.ts';
import { TREE_DEFAULTS } from '../../../../../src/rooms/models/training/options.ts';
import type { LabelledRows } from '../../../../../src/rooms/models/training/rows.ts';

const ROWS = 4000;
/** Labels are random by account: only a model that has seen the account can know them. */
function drawAccounts(rowsAnAccount: number, rows = ROWS): LabelledRows {
  const random = createRandom('accounts');
  const numbers = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / rowsAnAccount));
  const marks = Float32Array.from({ length: rows / rowsAnAccount }, () => random());
  const frauds = Uint8Array.from(marks, () => (random() < 0.2 ? 1 : 0));
  return {
    featureNames: ['mark'],
    columns: [Float32Array.from(numbers, (account) => marks[account] ?? 0)],
    labels: Uint8Array.from(numbers, (account) => frauds[account] ?? 0),
    accounts: numbers,
    days: new Int32Array(rows),
    segments: {},
  };
}

const OPTIONS = {
  ...TREE_DEFAULTS,
  rounds: 60,
  learningRate: 0.3,
  childWeightMin: 1,
  featureShare: 1,
};
const build = (training: LabelledRows, validation: LabelledRows | null = null) => ({
  ...{ training, validation, trainer: { kind: 'trees', options: OPTIONS } as const },
  ...{ bandsRule: DEFAULT_BANDS, daysSeen: 1, randomFor: createRandom },
});

test('buildModel cross-fits by account: what is known by heart promises nothing', () => {
  const training = drawAccounts(20);
  const { model, judged, calibration } = lastOf(buildModel(build(training)));
  // The final model knows every account that it has seen.
  const margins = marginsOf(model, training);
  const mean = (label: number) => {
    const own = margins.filter((_, row) => training.labels[row] === label);
    return own.reduce((sum, margin) => sum + margin, 0) / own.length;
  };
  expect(mean(1) - mean(0)).toBeGreaterThan(3);
  const riskiest = Math.max(...margins.map((margin) => calibrate(calibration, margin)));
  expect(riskiest).toBeLessThan(0.5);
  expect(judged.figures).toEqual({});
  for (const { promised } of judged.calibrationTable) expect(promised).toBeLessThan(0.4);
});
