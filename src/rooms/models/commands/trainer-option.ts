/** The kind of a model and the settings of its trainer. */
import { UsageError } from '../../../kit/command/command.ts';
import { assignmentsOption } from '../../../kit/command/file-options.ts';
import type { Trainer } from '../training/fit-artefact.ts';
import { LOGISTIC_DEFAULTS } from '../training/train-logistic.ts';
import {
  checkTreeOptions,
  TREE_DEFAULTS,
  type TreeOptions,
  treeDefaults,
} from '../training/tree-options.ts';

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
export function trainerOption(values: Values, featureNames: readonly string[]): TrainerChoice {
  switch (values.kind ?? 'trees') {
    case 'trees': {
      const given = treeSettings(values, featureNames);
      const toOptions = (frauds: number) => ({ ...treeDefaults(frauds), ...given });
      return {
        kind: 'trees',
        toTrainer: (frauds) => ({ kind: 'trees', options: toOptions(frauds) }),
      };
    }
    case 'logistic': {
      const options = { ...LOGISTIC_DEFAULTS, ...logisticSettings(values) };
      return { kind: 'logistic', toTrainer: () => ({ kind: 'logistic', options }) };
    }
    default:
      throw new UsageError(`--kind must be trees or logistic, not '${values.kind}'`);
  }
}

function treeSettings({ set, monotone }: Values, featureNames: readonly string[]) {
  const { metric, ...texts } = assignmentsOption(
    '--set',
    set,
    fieldsOf(TREE_DEFAULTS, ['monotone']),
  );
  const settings: Partial<TreeOptions> = {
    ...numbersOf(texts),
    ...(metric === undefined ? {} : { metric: metricOf(metric) }),
    monotone: monotoneOption(monotone),
  };
  try {
    checkTreeOptions({ ...TREE_DEFAULTS, ...settings }, featureNames);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  return settings;
}

function logisticSettings({ set, monotone }: Values) {
  if (monotone !== undefined) throw new UsageError('a logistic model takes no --monotone');
  const settings = numbersOf(assignmentsOption('--set', set, fieldsOf(LOGISTIC_DEFAULTS, [])));
  for (const [name, value] of Object.entries(settings)) {
    if (!(value > 0)) throw new UsageError(`--set ${name} must be above 0`);
  }
  return settings;
}

function fieldsOf<T extends object>(defaults: T, without: readonly string[]) {
  // Object.keys loses the type of a record's keys.
  return (Object.keys(defaults) as (keyof T & string)[]).filter((name) => !without.includes(name));
}

function numbersOf<T extends string>(
  texts: Partial<Record<T, string>>,
): Partial<Record<T, number>> {
  const numbers = Object.entries<string | undefined>(texts).map(([name, text = '']) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) {
      throw new UsageError(`--set ${name} must be a number, not '${text}'`);
    }
    return [name, value] as const;
  });
  // Object.fromEntries loses the type of the names.
  return Object.fromEntries(numbers) as Partial<Record<T, number>>;
}

function metricOf(text: string): TreeOptions['metric'] {
  if (text === 'average-precision' || text === 'log-loss') return text;
  throw new UsageError(`--set metric must be average-precision or log-loss, not '${text}'`);
}

function monotoneOption(text: string | undefined): TreeOptions['monotone'] {
  if (text === undefined) return {};
  const directions = text.split(',').map((part) => {
    const [, name = '', sign] = /^\s*([^:\s]+):([+-]?1)\s*$/.exec(part) ?? [];
    if (sign === undefined)
      throw new UsageError(`--monotone takes NAME:1 or NAME:-1, not '${part}'`);
    return [name, sign === '-1' ? -1 : 1] as const;
  });
  return Object.fromEntries(directions);
}
