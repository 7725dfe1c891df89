/**
 * From labelled rows to a model with everything on its card that follows from them: fitted, calibrated on rows
 * it was not fitted to, judged, with its bands and the distributions of its inputs.
 */
import type { Random } from '../../../kit/random.ts';
import { describeValues } from '../watch/write-reports.ts';
import { type BandsRule, bandsChooser } from './bands.ts';
import { assess, assessCalibration } from './card/assess.ts';
import { type Artefact, fitArtefact, marginsOf, type Trainer } from './fit-artefact.ts';
import type { FitStep } from './options.ts';
import { countFrauds, type LabelledRows, pickRows } from './rows.ts';

/** With fewer, a trainer learns little but noise. */
const TRAINING_FRAUDS_MIN = 30;
/** With fewer, figures and calibration are too uncertain. */
const VALIDATION_FRAUDS_MIN = 10;
const FOLDS = 2;
/** An activity without steps of its own. */
const AT_ONCE: FitStep = { step: 0, stepsMax: null, metric: null };

type BuildInput = {
  readonly training: LabelledRows;
  /** Rows of a later time; null calibrates by cross-fitting, and there are no figures. */
  readonly validation: LabelledRows | null;
  readonly trainer: Trainer;
  readonly bandsRule: BandsRule;
  /** Margins that trees are added to, by row; NaN: the row calibrates nothing. */
  readonly base?: Float64Array;
  /** Days of traffic that the judged rows stand for (bandsChooser). */
  readonly daysSeen: number;
  /** Makes a seeded generator; the same purpose gives the same numbers. */
  readonly randomFor: (purpose: string) => Random;
};

/** Name of the current activity, and its progress. */
export type BuildStep = FitStep & { readonly doing: string };

/** For rows in which `findLack` finds nothing. */
export function* buildModel(input: BuildInput) {
  const { training, validation, trainer, randomFor } = input;
  const fit = fitArtefact(training, validation, trainer, randomFor('training'));
  const artefact = yield* named('training', fit);
  const { calibration, probabilities, ...judged } = yield* judge(input, artefact);
  yield { ...AT_ONCE, doing: 'describing the features' };
  const reference = {
    features: training.columns.map((column, index) =>
      describeValues(training.featureNames[index] ?? '', column),
    ),
    probability: describeValues('probability', Float32Array.from(probabilities)),
  };
  const { importance } = artefact;
  return { ...artefact, calibration, judged: { ...judged, importance, reference } };
}

function* judge({ training, validation, trainer, ...input }: BuildInput, { model }: Artefact) {
  const bandsFor = bandsChooser(input.bandsRule, input.daysSeen);
  if (validation !== null) {
    yield { ...AT_ONCE, doing: 'judging on the validation window' };
    const rows = { ...validation, margins: marginsOf(model, validation) };
    return assess(rows, bandsFor, input.randomFor('bootstrap'));
  }
  const own = yield* crossFit(training, trainer, input.randomFor);
  yield { ...AT_ONCE, doing: 'calibrating' };
  const all = own.map((margin, row) => margin + (input.base?.[row] ?? 0));
  const isJudged = (_: number, row: number) => !Number.isNaN(all[row]);
  const [margins, labels] = [all.filter(isJudged), training.labels.filter(isJudged)];
  const { holdout, ...assessed } = assessCalibration(margins, labels, bandsFor);
  return { ...assessed, figures: {}, segments: {} };
}

/**
 * Margins of each half of the accounts by a model of the other half: an account's transactions are too
 * alike for one of them to judge a model that has seen the others.
 */
function* crossFit(
  training: LabelledRows,
  trainer: Trainer,
  randomFor: BuildInput['randomFor'],
): Generator<BuildStep, Float64Array> {
  const margins = new Float64Array(training.labels.length);
  const rows = Int32Array.from(training.accounts.keys());
  for (let fold = 0; fold < FOLDS; fold++) {
    const others = rows.filter((row) => foldOf(training, row) !== fold);
    const random = randomFor(`fold ${fold}`);
    const fit = fitArtefact(pickRows(training, others), null, trainer, random);
    const { model } = yield* named(`cross-fitting, part ${fold + 1} of ${FOLDS}`, fit);
    // Computes margins of all rows, as a copy of the fold's rows would take half as much memory again.
    const found = marginsOf(model, training);
    for (const row of rows)
      if (foldOf(training, row) === fold) margins[row] = found[row] ?? Number.NaN;
  }
  return margins;
}

function foldOf({ accounts }: LabelledRows, row: number): number {
  return (accounts[row] ?? 0) % FOLDS;
}

function* named<Result>(
  doing: string,
  steps: Generator<FitStep, Result>,
): Generator<BuildStep, Result> {
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next.value;
    yield { ...next.value, doing };
  }
}

/** Why the rows do not suffice for training; undefined when they do. */
export function findLack(
  training: LabelledRows,
  validation: LabelledRows | null,
): string | undefined {
  const lack = lackOf(training, 'training', TRAINING_FRAUDS_MIN);
  if (lack !== undefined) return lack;
  if (validation !== null) return lackOf(validation, 'validation', VALIDATION_FRAUDS_MIN);
  return isEveryHalfMixed(training, (row) => foldOf(training, row))
    ? undefined
    : 'the frauds are of too few accounts to cross-fit: give a validation window';
}

function lackOf(rows: LabelledRows, window: string, fraudsMin: number): string | undefined {
  const total = rows.labels.length;
  if (total === 0) return `the ${window} window has no labelled rows`;
  const frauds = countFrauds(rows.labels);
  if (frauds < fraudsMin || total - frauds < fraudsMin) {
    return `the ${window} window has ${frauds} frauds and ${total - frauds} legitimate rows; needs ${fraudsMin} of each`;
  }
  // Calibration is judged by halves: every second row.
  return isEveryHalfMixed(rows, (row) => row % 2)
    ? undefined
    : `the ${window} window has all its frauds, or none, among every second row`;
}

/** @param halfOf 0 or 1 */
function isEveryHalfMixed({ labels }: LabelledRows, halfOf: (row: number) => number): boolean {
  return [0, 1].every((half) => {
    const own = labels.filter((_, row) => halfOf(row) === half);
    const frauds = countFrauds(own);
    return frauds > 0 && frauds < own.length;
  });
}
