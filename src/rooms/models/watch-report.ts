/** A report of the watch over models and rules, and its wire form (`GET /v1/models/watch`). */
import { z } from 'zod';
import { outcomeShareSchema } from '../../core/domain/outcome-share.ts';
import { SCORECARD } from '../../core/score/scorecard/judge-by-table.ts';

/** The subject of scores that no model decided. */
export const RULES = 'rules';

/** Sizes from which a figure may raise an alert; below these, drift is reported without an alert. */
export const WATCH_MINIMUM = {
  /** Rows on either side of a comparison: by chance alone the index of ten bins is then near 0.02. */
  driftRows: 1000,
  /** Matured rows with a label, for calibration and the share of frauds. */
  labelledRows: 1000,
  /** Flagged rows with a label, for precision: its 95 % interval is then at most 0.2 wide. */
  flaggedRows: 100,
  /** Frauds, for recall: its 95 % interval is then at most 0.27 wide. */
  frauds: 50,
  /**
   * Share of the matured rows with a label, for precision and calibration: with labels of frauds alone every
   * flag would seem right.
   */
  labelledShare: 0.5,
} as const;

/** Bounds on the stability index: no drift below 0.1, some from 0.1, much from 0.25 (Siddiqi, 2006). */
const DRIFT_LEVELS = ['fine', 'notice', 'alert', 'unknown'] as const;
export type DriftLevel = (typeof DRIFT_LEVELS)[number];

const window = z.object({
  from: z.iso.datetime(),
  to: z.iso.datetime().meta({ description: 'Exclusive; both of created_at.' }),
});

const driftSchema = z.object({
  psi: z.number().nullable().meta({
    description: 'Population stability index; null without rows on either side.',
  }),
  level: z.enum(DRIFT_LEVELS).meta({
    description: 'notice from 0.1, alert from 0.25; unknown where there are too few rows.',
  }),
  rows: z.int(),
  reference_rows: z
    .int()
    .nullable()
    .meta({ description: 'Null where the training is the reference.' }),
  missing: z.number().nullable().meta({ description: 'Share of missing values now.' }),
  missing_reference: z.number().nullable().meta({ description: 'The same in the reference.' }),
});
export type Drift = Readonly<z.infer<typeof driftSchema>>;

const shareSchema = z.object(outcomeShareSchema.shape).nullable();

const boundSchema = z.object({
  precision: shareSchema.meta({ description: 'Frauds among what was flagged and is labelled.' }),
  recall: shareSchema.meta({ description: 'Flagged ones among the frauds.' }),
});

const outcomesSchema = z.object({
  window,
  rows: z.int().meta({ description: 'Sampled transactions whose labels have matured.' }),
  labelled: z.int().meta({ description: 'Those that have a label; all below is of these.' }),
  frauds: z.int(),
  review: boundSchema.meta({ description: 'Flagged is review or decline.' }),
  decline: boundSchema.meta({ description: 'Flagged is decline.' }),
  promised: z
    .number()
    .nullable()
    .meta({ description: 'Mean probability; null where there is no model.' }),
  seen: shareSchema.meta({ description: 'Share of frauds.' }),
  calibration: z
    .array(z.object({ rows: z.int(), promised: z.number(), seen: z.number() }))
    .meta({ description: 'By tenths of the rows, from low probabilities to high.' }),
  label_delay_seconds: z
    .object({ p50: z.number(), p90: z.number(), p99: z.number() })
    .nullable()
    .meta({ description: 'From created_at to labelled_at of the current label.' }),
});
export type Outcomes = Readonly<z.infer<typeof outcomesSchema>>;

export const watchReportSchema = z
  .object({
    watched_at: z.iso.datetime(),
    model: z.string().meta({
      description:
        '`name@version`, or `rules` where no model decided; `scorecard` decides nothing, and raises no alert.',
    }),
    compared_with: z.enum(['training', 'week-before']).meta({
      description: 'A model that does not know its training is compared with the week before.',
    }),
    window,
    rows: z.int().meta({ description: 'Sampled scores of the window.' }),
    level: z.enum(DRIFT_LEVELS).meta({ description: 'The worst of score and features.' }),
    score: driftSchema.meta({ description: 'Of the probability, or of the risk by rules alone.' }),
    features: z.array(z.object({ feature: z.string(), ...driftSchema.shape })),
    outcomes: outcomesSchema,
  })
  .meta({ id: 'WatchReport' });
export type WatchReport = Readonly<z.infer<typeof watchReportSchema>>;
/** Whether its figures may raise an alert: the scorecard decides nothing. */
export const decides = ({ model }: WatchReport) => model !== SCORECARD;
export type FeatureDrift = WatchReport['features'][number];
