/** The stored result of scoring one transaction, and its wire form (`GET /v1/scores/{id}`). */
import { z } from 'zod';
import { releasesField } from './control.ts';

/** Verdicts in rising severity. */
export const VERDICTS = ['approve', 'review', 'decline'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const SCORE_MAX = 1000;

/** Stands for no model: the rules judged alone. A model's name has a version, so no model has this name. */
export const NO_MODEL = 'none';

/** Declared metadata, and values that a rule set read beside the vector and the corridor, by key; what was missing has no key. */
export type RuleInputs = Readonly<Record<string, number | string | boolean>>;

/** A decision with everything needed to recompute it. Times are epoch milliseconds, UTC. */
export type ScoreRecord = Decision & {
  readonly transactionId: string;
  readonly createdAtMs: number;
  readonly scoredAtMs: number;
  readonly accountId: string;
  readonly corridor: string;
  readonly features: Float64Array;
  readonly featureSchema: number;
  /** Null where the score has no inputs. */
  readonly ruleInputs: RuleInputs | null;
  readonly ruleSet: string;
  readonly model: string | null;
  readonly attempts: number;
  readonly degradation: number;
  /** Log-odds of fraud by the table of the day; null for scores of feature schema 3. */
  readonly margin: number | null;
  /** Serial of that table; null where the margin is that of the rules alone, as no table was there. */
  readonly scorecard: number | null;
};

const reasonSchema = z
  .object({ code: z.string(), detail: z.string(), contribution: z.number() })
  .meta({ id: 'Reason' });
/** A reason of a score. `contribution` is in score points. */
export type Reason = Readonly<z.infer<typeof reasonSchema>>;

export const scoreSchema = z
  .object({
    transaction_id: z.uuid(),
    account_id: z.string(),
    corridor: z.string(),
    created_at: z.iso.datetime(),
    scored_at: z.iso.datetime(),
    score: z.int().min(0).max(SCORE_MAX),
    risk: z.number().min(0).max(1),
    probability: z.number().min(0).max(1).nullable(),
    verdict: z.enum(VERDICTS),
    reasons: z.array(reasonSchema),
    rule_set: z.string(),
    model: z.string().nullable(),
    attempts: z.int().min(1).max(4),
    degradation: z.int().min(0).max(4),
    releases_held: releasesField,
  })
  .meta({ id: 'Score' });
export type ScoreJson = z.infer<typeof scoreSchema>;

/** The pure core's result for one transaction. */
export type Decision = Readonly<Pick<ScoreJson, 'score' | 'risk' | 'probability' | 'verdict'>> & {
  readonly reasons: readonly Reason[];
  /** Points that the rules alone give where a model decided; null where the rules decided, or 1.0.0. */
  readonly byRules: number | null;
};

/** Fields that an explanation has, and a score on the wire has not. */
export type LoggedField =
  | 'features'
  | 'featureSchema'
  | 'ruleInputs'
  | 'margin'
  | 'scorecard'
  | 'byRules';

/** The wire form of a stored score: times as RFC 3339 UTC, the feature vector left to the explanation. */
export function toScoreJson(record: Omit<ScoreRecord, LoggedField>): ScoreJson {
  return {
    transaction_id: record.transactionId,
    account_id: record.accountId,
    corridor: record.corridor,
    created_at: new Date(record.createdAtMs).toISOString(),
    scored_at: new Date(record.scoredAtMs).toISOString(),
    score: record.score,
    risk: record.risk,
    probability: record.probability,
    verdict: record.verdict,
    reasons: [...record.reasons],
    rule_set: record.ruleSet,
    model: record.model,
    attempts: record.attempts,
    degradation: record.degradation,
  };
}
