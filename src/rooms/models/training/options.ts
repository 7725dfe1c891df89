/** Settings of the trainers, with the bounds within which they train, and their progress. */
import { z } from 'zod';
import { DESCRIBED, issueText } from '../../../kit/words/describe-issue.ts';
import { VALUE_BINS_MAX } from '../bins.ts';
import { MODEL_DEPTH_MAX, MODEL_TREES_MAX } from '../model/bounds.ts';

const share = z.number().min(0.01).max(1);

const treeOptions = z.strictObject({
  /** Most trees. */
  rounds: z.int().min(1).max(MODEL_TREES_MAX),
  /** The share of each tree's step that is taken. */
  learningRate: z.number().min(1e-4).max(1),
  /** Most splits from a root to a leaf. */
  depthMax: z.int().min(1).max(MODEL_DEPTH_MAX),
  /** Most leaves of a tree; the split with the most gain comes first. */
  leavesMax: z.int().min(2).max(4096),
  /** Bins a feature. */
  binsMax: z.int().min(2).max(VALUE_BINS_MAX),
  /** Least sum of hessians of a leaf: above the noise of subtracting histograms, so that no leaf is empty. */
  childWeightMin: z.number().min(1e-3).max(1e9),
  /** Penalty on the square of leaf values (XGBoost's lambda). */
  l2: z.number().min(1e-3).max(1e9),
  /** Least reduction of the loss by a split (XGBoost's gamma). */
  gainMin: z.number().min(0).max(1e9),
  /** Share of rows, drawn anew for each tree. */
  rowShare: share,
  /** Share of features, drawn anew for each tree. */
  featureShare: share,
  /** Weight of a fraud; a legitimate row weighs 1. */
  fraudWeight: z.number().min(1e-3).max(1e6),
  /** By feature: 1 if the margin may only rise with it, -1 only fall. */
  monotone: z.record(z.string(), z.literal([1, -1])).readonly(),
  /** Training ends after so many rounds without a better validation metric. */
  patienceRounds: z.int().min(1).max(MODEL_TREES_MAX),
  metric: z.enum(['average-precision', 'log-loss']),
});
export type TreeOptions = Readonly<z.infer<typeof treeOptions>>;

/** The best settings on an earlier week of published card payments: 600 frauds in 67,000 rows. */
export const TREE_DEFAULTS: TreeOptions = {
  rounds: 200,
  learningRate: 0.05,
  depthMax: 5,
  leavesMax: 32,
  binsMax: VALUE_BINS_MAX,
  childWeightMin: 3,
  l2: 5,
  gainMin: 0,
  rowShare: 0.7,
  featureShare: 0.5,
  fraudWeight: 1,
  monotone: {},
  patienceRounds: 50,
  metric: 'average-precision',
};
/** With many frauds, more and smaller trees did better: 6,000 frauds in 800,000 rows. */
const TREE_DEFAULTS_OF_MANY: TreeOptions = {
  ...TREE_DEFAULTS,
  rounds: 300,
  depthMax: 4,
  leavesMax: 16,
  childWeightMin: 10,
  featureShare: 0.4,
};
/** Number of frauds that separates the two defaults, which were chosen on sets of 600 and of 6,000. */
const FRAUDS_MANY = 2000;

export function treeDefaults(frauds: number): TreeOptions {
  return frauds < FRAUDS_MANY ? TREE_DEFAULTS : TREE_DEFAULTS_OF_MANY;
}

/** Throws an Error that lists every option outside its range. */
export function checkTreeOptions(options: object, featureNames: readonly string[]): TreeOptions {
  const known = checkOptions(treeOptions, options);
  const unknown = Object.keys(known.monotone).find((name) => !featureNames.includes(name));
  if (unknown !== undefined) throw new Error(`monotone names ${unknown}, no feature`);
  return known;
}

const logisticOptions = z.strictObject({
  /** Penalty: l2 / 2 times the sum of squared weights, beside the summed loss. */
  l2: z.number().positive('must be above 0'),
  /** Weight of a fraud; a legitimate row weighs 1. */
  fraudWeight: z.number().positive('must be above 0'),
});
export type LogisticOptions = Readonly<z.infer<typeof logisticOptions>>;

export const LOGISTIC_DEFAULTS: LogisticOptions = { l2: 1, fraudWeight: 1 };

/** Throws an Error that lists every option outside its range. */
export function checkLogisticOptions(options: object): LogisticOptions {
  return checkOptions(logisticOptions, options);
}

function checkOptions<T>(schema: z.ZodType<T>, options: object): T {
  const { data, error } = schema.safeParse(options, DESCRIBED);
  if (data !== undefined) return data;
  const problems = error?.issues.map((issue) => `${issue.path.join('.')} ${issueText(issue)}`);
  throw new Error(problems?.join('; '));
}

/** A step of training: a round of trees, or a Newton step. */
export type FitStep = {
  readonly step: number;
  /** Most steps; null where that is not known. */
  readonly stepsMax: number | null;
  /** The validation metric so far; null without one. */
  readonly metric: number | null;
};
