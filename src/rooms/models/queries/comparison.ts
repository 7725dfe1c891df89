/** `GET /v1/models/{id}/comparison`: what a shadow would have decided, beside what was decided. */
import { z } from 'zod';
import {
  OUTCOME_DAYS,
  outcomeShareSchema,
  outcomesFromMs,
} from '../../../core/domain/outcome-share.ts';
import { VERDICTS, type Verdict } from '../../../core/domain/score-record.ts';
import { currentRuleSet } from '../../../core/score/rules/rule-sets.ts';
import { SCORECARD } from '../../../core/score/scorecard/judge-by-table.ts';
import { verdictOfModel } from '../../../core/score/weigh.ts';
import { type ScoreWindow, sampleOutcomes } from '../../../core/store/scores/score-window.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { bandsOf } from '../registry/scoring-model.ts';
import { besideDecided } from '../scorecards/beside.ts';
import { findKnown, readDescription } from '../store/models.ts';
import { COMPARED_MAX, type ComparedScore, sampleShadow } from '../store/shadow-batches.ts';
import { rightnessOf } from '../watch/measure-outcomes.ts';

/** Equal parts of the probability. */
const BINS = 20;

export const comparisonParameters = z.strictObject({
  days: z
    .enum(OUTCOME_DAYS)
    .default('28')
    .meta({ description: 'UTC days back, today among them.', example: '28' }),
});
export type ComparisonQuestion = z.output<typeof comparisonParameters> & {
  /** SHA-256, `name@version` or `scorecard`. */
  readonly reference: string;
};

const boundSchema = z.object({
  flagged: z.int().meta({ description: 'Those to review or decline.' }),
  precision: outcomeShareSchema
    .nullable()
    .meta({ description: 'Frauds among what was flagged and has a label.' }),
  recall: outcomeShareSchema.nullable().meta({ description: 'Flagged ones among the frauds.' }),
});

export const comparisonSchema = z
  .object({
    model: z.string(),
    from: z.iso.datetime(),
    to: z.iso.datetime().meta({
      description: 'Exclusive. Both bound the time of scoring; for the scorecard, created_at.',
    }),
    rows: z.int().meta({
      description: `Scores that are compared, at most ${COMPARED_MAX}, spread over the time. None: it was no shadow.`,
    }),
    labelled: z.int(),
    frauds: z.int(),
    verdicts: z
      .array(z.object({ decided: z.enum(VERDICTS), shadow: z.enum(VERDICTS), rows: z.int() }))
      .meta({ description: 'Every pair of verdicts.' }),
    decided: boundSchema.meta({ description: 'By what decided.' }),
    shadow: boundSchema,
    scorecard: boundSchema.extend({ rows: z.int() }).meta({
      description:
        'By the scorecard on those rows that a table judged, where it stops no more of them than were stopped.',
    }),
    distribution: z
      .array(z.object({ from: z.number(), decided: z.int(), shadow: z.int() }))
      .meta({ description: `Scores by risk, in ${BINS} equal parts from 0 to 1.` }),
  })
  .meta({ id: 'ShadowComparison' });
type ComparisonJson = z.infer<typeof comparisonSchema>;

type Judged = Pick<ComparedScore, 'verdict' | 'isFraud'>;
type Compared = ComparedScore & { readonly ofShadow: Verdict };

/** @throws Failure `MODEL_UNKNOWN` */
export async function compareShadow(
  database: Database,
  { reference, days }: ComparisonQuestion,
  nowMs: number,
): Promise<ComparisonJson> {
  const fromMs = outcomesFromMs(days, nowMs);
  const window = { fromMs, toMs: nowMs };
  const { model, rows } = await (reference === SCORECARD
    ? readScorecard(database.query, window)
    : readShadow(database, reference, window));
  const beside = besideDecided(rows);
  return {
    model,
    from: new Date(fromMs).toISOString(),
    to: new Date(nowMs).toISOString(),
    rows: rows.length,
    labelled: rows.filter(({ isFraud }) => isFraud !== null).length,
    frauds: rows.filter(({ isFraud }) => isFraud === true).length,
    verdicts: VERDICTS.flatMap((decided) =>
      VERDICTS.map((shadow) => ({
        decided,
        shadow,
        rows: rows.filter((row) => row.verdict === decided && row.ofShadow === shadow).length,
      })),
    ),
    decided: measureBound(rows, ({ verdict }) => verdict),
    shadow: measureBound(rows, ({ ofShadow }) => ofShadow),
    scorecard: {
      rows: beside.length,
      ...measureBound(beside, ({ byScorecard }) => byScorecard),
    },
    distribution: distribute(rows),
  };
}

async function readShadow(database: Database, reference: string, window: ScoreWindow) {
  const { model, model_id: modelId } = await findKnown(database, reference);
  const { card } = await readDescription(database.query, modelId);
  const bands = bandsOf(card);
  const compared = await sampleShadow(database.query, modelId, window);
  const rows = compared.map((row) => ({
    ...row,
    ofShadow: verdictOfModel(row.probability, bands, currentRuleSet),
  }));
  return { model, rows };
}

async function readScorecard(query: Query, window: ScoreWindow) {
  const { signal } = new AbortController();
  const sampled = await sampleOutcomes(query, window, COMPARED_MAX, window.toMs, signal);
  const rows = besideDecided(sampled).map((row) => ({ ...row, ofShadow: row.byScorecard }));
  return { model: SCORECARD, rows };
}

function measureBound<Row extends Judged>(rows: readonly Row[], verdictOf: (row: Row) => Verdict) {
  const isFlagged = (row: Row) => verdictOf(row) !== 'approve';
  return { flagged: rows.filter(isFlagged).length, ...rightnessOf(rows, isFlagged) };
}

function distribute(rows: readonly Compared[]): ComparisonJson['distribution'] {
  const binOf = (value: number) => Math.min(BINS - 1, Math.floor(value * BINS));
  const bins = Array.from({ length: BINS }, (_, at) => ({
    from: at / BINS,
    decided: 0,
    shadow: 0,
  }));
  for (const { risk, probability } of rows) {
    const [decided, shadow] = [bins[binOf(risk)], bins[binOf(probability)]];
    if (decided !== undefined) decided.decided++;
    if (shadow !== undefined) shadow.shadow++;
  }
  return bins;
}
