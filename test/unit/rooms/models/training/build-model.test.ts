/**
 * Goal: a model is calibrated and judged on rows that it has not seen. Method: accounts whose rows are all
 * alike, so that a model that has seen one of them knows the others.
 */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../../src/kit/random.ts';
import { calibrate } from '../../../../../src/rooms/models/model/calibration.ts';
import { DEFAULT_BANDS } from '../../../../../src/rooms/models/training/bands.ts';
import {
  type BuildStep,
  buildModel,
  findLack,
} from '../../../../../src/rooms/models/training/build-model.ts';
import { marginsOf } from '../../../../../src/rooms/models/training/fit-artefact.ts';
import { TREE_DEFAULTS, treeDefaults } from '../../../../../src/rooms/models/training/options.ts';
import type { LabelledRows } from '../../../../../src/rooms/models/training/rows.ts';
import { lastOf } from './train-to-the-end.ts';
import { batchOf, drawTrainingSet } from './training-data.ts';

const ROWS = 4000;
/** Judging resamples its rows two hundred times. */
const JUDGED_ROWS = 400;

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

describe('buildModel', () => {
  test('cross-fits by account: what is known by heart promises nothing', () => {
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

  test('says step by step what it does, of both kinds', () => {
    const training = drawAccounts(1);
    const steps: BuildStep[] = [...buildModel(build(training))];
    const trees = steps.filter(({ doing }) => doing === 'training');
    expect(trees.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
    const options = { l2: 1, fraudWeight: 1 };
    const few = drawAccounts(1, JUDGED_ROWS);
    const input = { ...build(few, few), trainer: { kind: 'logistic', options } as const };
    const doings = new Set(Array.from(buildModel(input), ({ doing }) => doing));
    expect([...doings]).toEqual([
      ...['training', 'judging on the validation window', 'describing the features'],
    ]);
  });
});

describe('findLack', () => {
  const rows = (labels: number[], accounts = labels.map((_, at) => at)): LabelledRows => ({
    ...{ featureNames: ['a'], columns: [new Float32Array(labels.length)], segments: {} },
    ...{ labels: Uint8Array.from(labels), accounts: Int32Array.from(accounts) },
    days: new Int32Array(labels.length),
  });
  const fine = rows(Array.from({ length: 200 }, (_, at) => (at % 4 < 2 ? 1 : 0)));

  test('finds none where there is enough', () => {
    expect(findLack(fine, null)).toBeUndefined();
    expect(findLack(fine, fine)).toBeUndefined();
  });

  test.each([
    ['no rows', rows([]), fine, 'the training window has no labelled rows'],
    ['labels of one kind', rows(Array(200).fill(1)), fine, '200 frauds and 0 legitimate'],
    [
      'few frauds',
      rows(Array.from({ length: 200 }, (_, at) => Number(at < 29))),
      fine,
      '29 frauds',
    ],
    [
      'a validation of one kind',
      fine,
      rows(Array(200).fill(0)),
      'the validation window has 0 frauds',
    ],
    [
      'frauds on every second row',
      fine,
      rows(fine.labels.length ? Array.from({ length: 200 }, (_, at) => at % 2) : []),
      'every second row',
    ],
    [
      'frauds of one half of the accounts',
      rows([...fine.labels], [...fine.labels]),
      null,
      'too few accounts',
    ],
  ])('finds %s', (_name, training, validation, why) => {
    expect(findLack(training, validation)).toContain(why);
  });
});

test('marginsOf gives what the model gives, over several batches', () => {
  const training = { ...drawAccounts(1), ...drawTrainingSet('a', ROWS) };
  const { model } = lastOf(buildModel(build(training)));
  const many = drawTrainingSet('b', 20_000);
  expect(marginsOf(model, many)).toEqual(model.marginOf(batchOf(many)));
});

test('treeDefaults takes more and smaller trees where there are many frauds', () => {
  expect(treeDefaults(600)).toMatchObject({ rounds: 200, depthMax: 5, leavesMax: 32 });
  expect(treeDefaults(6000)).toMatchObject({ rounds: 300, depthMax: 4, leavesMax: 16 });
});
