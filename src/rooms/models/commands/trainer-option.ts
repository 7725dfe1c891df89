/** The kind of a model and the settings of its trainer. */
import { UsageError, wordOption } from '../../../kit/command/command.ts';
import { assignmentsOption } from '../../../kit/command/file-options.ts';
import { toError } from '../../../kit/words/failure.ts';
import type { Trainer } from '../training/fit-artefact.ts';
import {
  checkLogisticOptions,
  checkTreeOptions,
  LOGISTIC_DEFAULTS,
  TREE_DEFAULTS,
  treeDefaults,
} from '../training/options.ts';

type Values = {
  readonly kind?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly monotone?: string | undefined;
};

export type TrainerChoice = {
  readonly kind: Trainer['kind'];
  /** Defaults depend on the number of frauds. */
  readonly toTrainer: (frauds: number) => Trainer;
};

/** @throws UsageError for values out of range, and for a feature that the model may not read */
export function trainerOption(
  { kind = 'trees', set, monotone }: Values,
  featureNames: readonly string[],
): TrainerChoice {
  if (wordOption('--kind', kind, ['trees', 'logistic']) === 'logistic') {
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
  const settings = Object.entries(texts).map(([name, text = '']) => {
    const isNumber = text.trim() !== '' && Number.isFinite(Number(text));
    return [name, isNumber ? Number(text) : text];
  });
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
