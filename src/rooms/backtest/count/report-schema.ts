/** The report of a backtest on the wire. */
import { z } from 'zod';
import { outcomeShareSchema } from '../../../core/domain/outcome-share.ts';
import { SCORE_MAX, VERDICTS } from '../../../core/domain/score-record.ts';

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

type Example = {
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
type BandCounts = {
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

/** The pace of an officer by the default policy of reviews. */
export const OFFICER = { reviewsPerHour: 20, hoursPerDay: 8, utilisation: 0.85 };

const labels = { fraud: z.int(), legitimate: z.int(), unlabelled: z.int() };
const share = outcomeShareSchema.nullable();
const amount = z.string().meta({ example: '1250.00' });
const rightness = z.object({ precision: share, recall: share, f1: share });

export const confusionSchema = z.array(z.object({ verdict: z.enum(VERDICTS), ...labels }));

const measured = z
  .object({
    version: z.string(),
    confusion: confusionSchema,
    alerts: rightness.meta({ description: 'Of reviews and declines together.' }),
    declines: rightness,
    auc: share.meta({
      description: 'Of the points from 0 to 1,000. Null without frauds or without others.',
    }),
    average_precision: z.number().nullish().meta({
      description:
        'Mean, over the frauds, of the precision at the points of the fraud; ties count together. Absent in reports of 1.0.0.',
    }),
    alerts_per_day: z.number().meta({ description: 'Reviews and declines, a day with rows.' }),
    reviews_per_day: z.number(),
    officers: z.int().meta({
      description: `For the reviews: ${OFFICER.reviewsPerHour} an hour, ${OFFICER.hoursPerDay} hours a day, ${OFFICER.utilisation * 100} % of the time.`,
    }),
    money: z.array(
      z.object({
        currency: z.string(),
        fraud_missed: amount,
        fraud_caught: amount.meta({ description: 'Reviewed or declined.' }),
        fraud_stopped: amount.meta({ description: 'Declined.' }),
        legitimate_stopped: amount,
        stopped: amount.meta({ description: 'All declines, whatever their label.' }),
      }),
    ),
  })
  .meta({ id: 'BacktestVersion' });

export const reportSchema = z
  .object({
    rows: z.int().meta({ description: 'Rows that both versions have decided.' }),
    days: z.int().meta({ description: 'UTC days with rows.' }),
    frauds: z.int(),
    legitimates: z.int(),
    unlabelled: z.int(),
    left_out: z.array(
      z.object({
        cause: z.string().meta({ example: 'model xgb@4' }),
        rows: z.int(),
      }),
    ),
    inputs_not_recorded: z
      .array(z.object({ input: z.string(), rows: z.int() }))
      .meta({ description: 'Rows on which an input of the rule set was missing.' }),
    subject: measured,
    against: measured,
    changes: z
      .object({
        frauds_newly_caught: z.int(),
        frauds_newly_missed: z.int(),
        legitimate_newly_stopped: z.int(),
        legitimate_no_longer_stopped: z.int(),
      })
      .meta({ description: 'Of the subject, compared with the other version.' }),
    flips: z.array(
      z.object({
        from: z.enum(VERDICTS).meta({ description: 'Verdict of the other version.' }),
        to: z.enum(VERDICTS),
        rows: z.int(),
        ...labels,
        examples: z
          .array(
            z.object({
              transaction_id: z.string(),
              corridor: z.string(),
              label: z.enum(LABELS),
              score: z.int(),
              score_against: z.int(),
            }),
          )
          .meta({ description: 'The first ten of each label.' }),
      }),
    ),
    rules: z.array(
      z.object({
        id: z.string(),
        code: z.string(),
        hits: z.int(),
        ...labels,
        precision: share,
        without: z
          .object({
            alerts: z.int(),
            frauds_caught: z.int(),
            legitimate: z.int(),
            verdicts: z.int().meta({ description: 'Verdicts of any kind that would change.' }),
          })
          .meta({ description: 'What would go if this rule alone were removed.' }),
        overlaps: z.array(
          z.object({
            id: z.string(),
            rows: z.int(),
            share: z.number().meta({ description: 'Of the hits.' }),
          }),
        ),
      }),
    ),
    curve: z
      .array(
        z.object({
          threshold: z.int(),
          alerts_per_day: z.number(),
          frauds_caught: z.int(),
          legitimate: z.int(),
        }),
      )
      .meta({
        description:
          'What the subject would flag from a threshold on, by its points alone: exact for each threshold, as one that is absent flags as much as the next higher one.',
      }),
    today: z
      .object({ alerts_per_day: z.number(), frauds_caught: z.int() })
      .meta({ description: 'The point of the other version on the curve.' }),
  })
  .meta({ id: 'BacktestReport' });

/**
 * Counts of a backtest as plain JSON: a run that is killed goes on from counts that were stored. All are whole numbers and exact
 * decimals, so that the sizes of pages leave no trace.
 */
export const noRows = (): ByLabel => [0, 0, 0];
export const noRowsEach = (length: number) => Array.from({ length }, noRows);
export const noRule = (): RuleCounts => ({ hits: noRows(), needed: noRows(), raised: noRows() });
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
