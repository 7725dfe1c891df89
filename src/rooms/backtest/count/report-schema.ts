/** The report of a backtest on the wire. */
import { z } from 'zod';
import { outcomeShareSchema } from '../../../core/domain/outcome-share.ts';
import { VERDICTS } from '../../../core/domain/score-record.ts';
import { LABELS } from './counts.ts';

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
