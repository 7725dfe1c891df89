/** A new score, and a batch of them as the parameters of the statement that stores scores. */
import {
  byteaArray,
  float8Array,
  int2Array,
  int4Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../../kit/database/binary-array.ts';
import { FEATURE_SCHEMA } from '../../domain/feature-schema.ts';
import type { Decision, ScoreRecord, Verdict } from '../../domain/score-record.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { packVectors, vectorChecksum } from './vector-bytes.ts';

/** A score to store. */
export type NewScore = Pick<
  ScoreRecord,
  'features' | 'ruleInputs' | 'ruleSet' | 'model' | 'attempts' | 'degradation'
> & { readonly transaction: Transaction; readonly decision: Decision };

/**
 * The seam `onScored`: what a room writes in the statement that stores scores.
 * A score that is being stored, as rooms see it.
 */
type JustScored = {
  readonly transaction: { readonly transactionId: string };
  readonly tallied: { readonly verdict: Verdict };
};

/**
 * Rows that a room writes in the statement that stores scores, so that neither is stored without the other: review and webhooks
 * have such rows, and main/worker.ts hands their statements to the worker. A redelivery stores no score, and so adds nothing.
 */
export type ScoredStatement = {
  readonly name: string;
  /**
   * SQL that inserts. `ids` (uuid[]) and `verdicts` (text[]) are parameters of the stored scores, `scoredAtMs` (float8) is their
   * time, and `value` is the parameter that `toValue` gives.
   */
  readonly insert: (parameters: {
    ids: string;
    verdicts: string;
    scoredAtMs: string;
    value: string;
  }) => string;
  /** @param columns of the same scores; null where only some scores of a batch are stored */
  readonly toValue:
    | ((scores: readonly JustScored[], columns: ScoreColumns | null) => unknown)
    | null;
};

/** In the order of (created_at, transaction_id). */
export function compareScores(
  { transaction: left }: NewScore,
  { transaction: right }: NewScore,
): number {
  return (
    left.createdAtMs - right.createdAtMs || (left.transactionId < right.transactionId ? -1 : 1)
  );
}

export type ScoreColumns = ReturnType<typeof columnsOf>;

/** The columns of a batch as the insert sends them, arrays in Postgres' binary form, in the order of `compareScores`. */
export function columnsOf(rows: readonly NewScore[], scoredAtMs: number) {
  const decisions = rows.map((row) => row.decision);
  const transactions = rows.map((row) => row.transaction);
  return {
    scoredAtMs,
    count: rows.length,
    ruleSets: textArray(rows.map((row) => row.ruleSet)),
    ids: uuidArray(transactions.map((transaction) => transaction.transactionId)),
    createdAt: timestampArray(transactions.map((transaction) => transaction.createdAtMs)),
    accounts: textArray(transactions.map((transaction) => transaction.accountId)),
    corridors: textArray(transactions.map((transaction) => transaction.corridor)),
    scores: int2Array(decisions.map((decision) => decision.score)),
    risks: float8Array(decisions.map((decision) => decision.risk)),
    probabilities: float8Array(decisions.map((decision) => decision.probability)),
    verdicts: textArray(decisions.map((decision) => decision.verdict)),
    /** Each text is an array of `code`, `detail` and `contribution`, as `JSON.stringify` writes it. */
    reasons: textArray(
      decisions.map(({ reasons }) => (reasons.length === 0 ? '[]' : JSON.stringify(reasons))),
    ),
    features: byteaArray(packVectors(rows.map((row) => row.features))),
    models: textArray(rows.map((row) => row.model)),
    attempts: int2Array(rows.map((row) => row.attempts)),
    degradations: int2Array(rows.map((row) => row.degradation)),
    checksums: int4Array(rows.map((row) => vectorChecksum(row.features, row.ruleInputs))),
    // Without an array every row gets null, and nothing is encoded.
    ruleInputs: rows.some((row) => row.ruleInputs !== null)
      ? textArray(rows.map((row) => row.ruleInputs && JSON.stringify(row.ruleInputs)))
      : null,
  };
}

/** The parameters of the insert, which has the columns in the order of `columnsOf`. */
export const insertValues = ({ scoredAtMs, count: _count, ...columns }: ScoreColumns) => [
  scoredAtMs,
  FEATURE_SCHEMA,
  ...Object.values(columns),
];
