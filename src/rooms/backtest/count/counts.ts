/**
 * Counts of a backtest as plain JSON: a run that is killed goes on from counts that were stored. All are whole numbers and exact
 * decimals, so that the sizes of pages leave no trace.
 */
import { SCORE_MAX } from '../../../core/domain/score-record.ts';

/** Labels by their index in counts. */
export const LABELS = ['unlabelled', 'legitimate', 'fraud'] as const;
export const UNLABELLED = 0;
export const LEGITIMATE = 1;
export const FRAUD = 2;
export type LabelIndex = 0 | 1 | 2;
/** Rows by label. */
export type ByLabel = [unlabelled: number, legitimate: number, fraud: number];

/** Counts of one of the two versions. */
export type VersionCounts = {
  /** By verdict in rising severity, and label. */
  readonly verdicts: readonly ByLabel[];
  /** By points from 0 to SCORE_MAX, and label. */
  readonly points: readonly ByLabel[];
  /** Ten-thousandths, by currency, verdict and label, of frauds and of what was not approved. */
  readonly money: Record<string, string[]>;
};

export type Example = {
  readonly id: string;
  readonly corridor: string;
  readonly label: (typeof LABELS)[number];
  /** Points by the version in question, and by the other one. */
  readonly points: number;
  readonly against: number;
};

export type RuleCounts = {
  readonly hits: ByLabel;
  /** Rows that are approved without the rule, and not with the rule. */
  readonly needed: ByLabel;
  /** Rows on which the rule decides between review and decline. */
  readonly raised: ByLabel;
};

export type Counts = {
  rows: number;
  /** By UTC day: rows, then alerts and reviews of the version in question, then of the other one. */
  readonly days: Record<string, number[]>;
  readonly versions: readonly [VersionCounts, VersionCounts];
  /** By the other version's verdict, that of the version in question, and label. */
  readonly flips: readonly ByLabel[];
  /** By index in `flips`. */
  readonly examples: Record<string, Example[]>;
  /** Rules of the version in question, by id. */
  readonly rules: Record<string, RuleCounts>;
  /** Rows on which two rules fired, by their ids with a space between them. */
  readonly pairs: Record<string, number>;
  /** Rows that were not recorded with an input, by input. */
  readonly missing: Record<string, number>;
  /** Rows left out, as their model cannot be loaded, by model. */
  readonly unjudged: Record<string, number>;
};

/** Rows of a corridor and a day, by what bands make of them. */
export type BandCounts = {
  /** By points: the bands alone decide. */
  readonly free: Record<string, ByLabel>;
  /** By points: a rule forces a review, which leaves a decline. */
  readonly reviewed: Record<string, ByLabel>;
  /** By verdict in rising severity: bands move none, as a rule or the model's own bands decide. */
  readonly fixed: readonly ByLabel[];
};
/** By corridor. */
export type DayCounts = Record<string, BandCounts>;
/** By UTC day, from 1970. */
export type Days = Map<number, DayCounts>;

export const noRows = (): ByLabel => [0, 0, 0];
export const noRowsEach = (length: number) => Array.from({ length }, noRows);
const noVersion = (): VersionCounts => ({
  verdicts: noRowsEach(3),
  points: noRowsEach(SCORE_MAX + 1),
  money: {},
});

export const noCounts = (): Counts => ({
  rows: 0,
  days: {},
  versions: [noVersion(), noVersion()],
  flips: noRowsEach(9),
  examples: {},
  rules: {},
  pairs: {},
  missing: {},
  unjudged: {},
});

export const increase = (counts: Record<string, number>, key: string) => {
  counts[key] = (counts[key] ?? 0) + 1;
};
