/** The options of `risk models train`, which are checked before any work is done. */
import { z } from 'zod';
import type { Slot } from '../../../core/score/scorecard/day-table.ts';
import { UsageError } from '../../../kit/command/command.ts';
import { readDataFile } from '../../../kit/command/data-file.ts';
import { assignmentsOption } from '../../../kit/command/file-options.ts';
import {
  choice,
  dateOption,
  several,
  timeOption,
  type ValuesOf,
  whole,
} from '../../../kit/command/options.ts';
import { exactNumber } from '../../../kit/words/exact-number.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { modelName } from '../manifest.ts';
import { featureNames } from '../registry/check-model.ts';
import { type BandsRule, bandsForCosts, costMatrix, DEFAULT_BANDS } from '../training/bands.ts';
import type { Trainer } from '../training/fit-artefact.ts';
import {
  checkLogisticOptions,
  checkTreeOptions,
  LOGISTIC_DEFAULTS,
  TREE_DEFAULTS,
  treeDefaults,
} from '../training/options.ts';
import type { FeatureChoice } from '../training/rows.ts';

const ALERTS_A_DAY_MAX = 1_000_000_000;
const alerts = (says: string) => whole(says, { min: 0, max: ALERTS_A_DAY_MAX }, undefined);

export const TRAIN_OPTIONS = {
  '--from DATE': 'First day of created_at of the rows it learns from',
  '--to DATE': 'Last day',
  '--known-by TIME':
    'Labels that became known later are not used: 2026-11-08 or 2026-11-08T12:00:00Z',
  '--validate-from DATE':
    'First day of a later window that is held back: it ends the growth of trees, calibrates, and gives the figures of the card. Without it there are no figures, all rounds are trained, and calibration is cross-fitted by account (three trainings)',
  '--validate-to DATE': 'Last day of that window',
  '--unlabelled FATE': choice(
    'Of transactions without a label by then: skip or legitimate',
    ['skip', 'legitimate'],
    'skip',
  ),
  '--kind KIND': choice('trees or logistic', ['trees', 'logistic'], 'trees'),
  '--features A,B,...': 'Features it may read (all)',
  '--set NAME=VALUE,...': several(
    'Settings of the trainer. Trees: rounds, learningRate, depthMax, leavesMax, binsMax, childWeightMin, l2, gainMin, rowShare, featureShare, fraudWeight, patienceRounds, metric (average-precision or log-loss). Logistic: l2, fraudWeight',
  ),
  '--monotone A:1,B:-1': 'Trees: the risk may only rise (1) or fall (-1) with the feature',
  '--seed N': whole('Of the random numbers', { min: 0, max: Number.MAX_SAFE_INTEGER }, 1),
  '--reviews-a-day N': alerts(
    'Bands for an alert budget, with --declines-a-day (1 % of the transactions to review and 0.2 % to decline)',
  ),
  '--declines-a-day N': alerts('See --reviews-a-day'),
  '--costs FILE':
    'Bands for least cost: {"fraud": {"approve", "review", "decline"}, "legitimate": {...}}',
  '--name MODEL': 'Name of the model (KIND@TO)',
  '--out DIR': "A new folder for the files (the model's name in the current folder)",
  '--no-register': 'Only write the files; needs no key',
} as const;

export type TrainSettings = Awaited<ReturnType<typeof readTraining>>;
export type DateWindow = ReturnType<typeof windowOption>;

type Values = ValuesOf<typeof TRAIN_OPTIONS>;

/** @throws UsageError, and Failure for an invalid file of costs */
export async function readTraining(values: Values, nowMs: number, slots: readonly Slot[]) {
  const training = windowOption('--from', values.from, '--to', values.to);
  const validation = validationOption(values, training);
  const knownByMs = knownByOption(values['known-by'], validation ?? training, nowMs);
  const choice = featuresOption(values, slots);
  const trainer = trainerOption(values, choice.names);
  const name = values.name ?? `${trainer.kind}@${training.to}`;
  if (!modelName.safeParse(name).success) {
    throw new UsageError('--name must be NAME@VERSION, as baseline@2026-11-01');
  }
  return {
    training,
    validation,
    knownByMs,
    choice,
    trainer,
    name,
    slots,
    unlabelled: values.unlabelled,
    seed: String(values.seed),
    bandsRule: await bandsOption(values),
    out: values.out ?? name,
    registers: !values['no-register'],
  };
}

/** Dates inclusive, as given, and the same in epoch milliseconds, the end exclusive. */
function windowOption(
  fromFlag: string,
  from: string | undefined,
  toFlag: string,
  to: string | undefined,
) {
  const fromMs = dateOption(fromFlag, from);
  const toMs = dateOption(toFlag, to);
  if (fromMs > toMs) throw new UsageError(`${toFlag} lies before ${fromFlag}`);
  return { from: from ?? '', to: to ?? '', fromMs, toMs: toMs + DAY_MS };
}

function validationOption(values: Values, training: DateWindow): DateWindow | null {
  const [from, to] = [values['validate-from'], values['validate-to']];
  if (from === undefined && to === undefined) return null;
  const window = windowOption('--validate-from', from, '--validate-to', to);
  if (window.fromMs >= training.toMs) return window;
  throw new UsageError('--validate-from must lie after --to: a model is judged on a later time');
}

/** A day that is not over is refused: the same command would find other rows later. */
function knownByOption(text: string | undefined, last: DateWindow, nowMs: number): number {
  const knownByMs = timeOption('--known-by', text);
  if (knownByMs < last.toMs) throw new UsageError(`--known-by lies before the end of ${last.to}`);
  if (knownByMs > nowMs) throw new UsageError('--known-by lies in the future');
  return knownByMs;
}

function featuresOption({ features }: Values, slots: readonly Slot[]): FeatureChoice {
  const all = featureNames(slots);
  const chosen = features?.split(',').map((name) => name.trim()) ?? all;
  const unknown = chosen.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--features names '${unknown}', which is no feature`);
  }
  const names = all.filter((name) => chosen.includes(name));
  const columns = Int32Array.from(names, (name) => all.indexOf(name));
  return { names, columns };
}

async function bandsOption(values: Values): Promise<BandsRule> {
  const { 'reviews-a-day': reviewsADay, 'declines-a-day': declinesADay } = values;
  const hasBudget = reviewsADay !== undefined || declinesADay !== undefined;
  if (values.costs !== undefined) {
    if (hasBudget)
      throw new UsageError('bands follow from --costs or from a budget, not from both');
    return { by: 'costs', costs: await readCosts(values.costs) };
  }
  if (!hasBudget) return DEFAULT_BANDS;
  if (reviewsADay === undefined || declinesADay === undefined) {
    throw new UsageError('--reviews-a-day and --declines-a-day belong together');
  }
  return { by: 'budget', reviewsADay, declinesADay };
}

const COSTS_BYTES_MAX = 64 * 1024;

async function readCosts(path: string) {
  const value = await readDataFile(path, COSTS_BYTES_MAX);
  try {
    const parsed = costMatrix.parse(value);
    bandsForCosts(parsed);
    return parsed;
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new Failure('invalid', 'COSTS_INVALID', `${path}: ${why}`, { cause: error });
  }
}

type TrainerChoice = {
  readonly kind: Trainer['kind'];
  /** Defaults depend on the number of frauds. */
  readonly toTrainer: (frauds: number) => Trainer;
};

/** @throws UsageError for values out of range, and for a feature that the model may not read */
function trainerOption(
  { kind, set, monotone }: Values,
  featureNames: readonly string[],
): TrainerChoice {
  if (kind === 'logistic') {
    if (monotone !== undefined) throw new UsageError('a logistic model takes no --monotone');
    const given = { ...LOGISTIC_DEFAULTS, ...settingsOption(set, LOGISTIC_DEFAULTS) };
    const options = orUsage(() => checkLogisticOptions(given));
    return { kind: 'logistic', toTrainer: () => ({ kind: 'logistic', options }) };
  }
  const { monotone: _, ...settable } = TREE_DEFAULTS;
  const given = { ...settingsOption(set, settable), monotone: monotoneOption(monotone) };
  const toOptions = (frauds: number) =>
    orUsage(() => checkTreeOptions({ ...treeDefaults(frauds), ...given }, featureNames));
  toOptions(0);
  return { kind: 'trees', toTrainer: (frauds) => ({ kind: 'trees', options: toOptions(frauds) }) };
}

/** Values that are no numbers stay texts, which the check of the settings refuses by name. */
function settingsOption(set: Values['set'], defaults: object): object {
  const texts = assignmentsOption('--set', set, Object.keys(defaults));
  const settings = Object.entries(texts).map(([name, text = '']) => [
    name,
    exactNumber(text.trim()) ?? text,
  ]);
  return Object.fromEntries(settings);
}

function orUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw new UsageError(`--set or --monotone: ${toError(error).message}`);
  }
}

function monotoneOption(text: string | undefined): Record<string, number> {
  const directions = text?.split(',').map((part) => {
    const [, name = '', sign] = /^\s*([^:\s]+):([+-]?1)\s*$/.exec(part) ?? [];
    if (sign !== undefined) return [name, Number(sign)] as const;
    throw new UsageError(`--monotone takes NAME:1 or NAME:-1, not '${part}'`);
  });
  return Object.fromEntries(directions ?? []);
}
