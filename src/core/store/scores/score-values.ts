/** A new score, and a batch of them as the parameters of the statement that stores scores. */
import {
  byteaArray,
  float8Array,
  int2Array,
  int4Array,
  textArray,
  timestampArray,
} from '../../../kit/database/binary-array.ts';
import { compareIds, type DeliveredTransaction } from '../../domain/delivered.ts';
import type { Decision, RuleInputs } from '../../domain/score-record.ts';
import { deliveredTextArray, deliveredUuidArray } from '../delivered-arrays.ts';
import { packVectors } from './vector-bytes.ts';
import { vectorChecksum } from './vector-checksum.ts';

/** A score to store. */
export type NewScore = {
  readonly transaction: DeliveredTransaction;
  readonly decision: Decision;
  readonly features: Float64Array;
  readonly ruleInputs: RuleInputs | null;
  /** Name of the rule set that decided. */
  readonly ruleSet: string;
  /** `name@version` of the model that decided. */
  readonly model: string | null;
  readonly attempts: number;
  readonly degradation: number;
};

/** Values that all scores of one insert share. */
export type ScoreLineage = {
  readonly scoredAtMs: number;
  readonly featureSchema: number;
};

/** In the order of (created_at, transaction_id). */
export function compareScores(
  { transaction: one }: NewScore,
  { transaction: other }: NewScore,
): number {
  return one.createdAtMs - other.createdAtMs || compareIds(one, other);
}

export function insertValues(rows: readonly NewScore[], lineage: ScoreLineage): readonly unknown[] {
  const decisions = rows.map((row) => row.decision);
  const transactions = rows.map((row) => row.transaction);
  return [
    ...[lineage.scoredAtMs, lineage.featureSchema],
    textArray(rows.map((row) => row.ruleSet)),
    deliveredUuidArray(transactions),
    timestampArray(transactions.map((one) => one.createdAtMs)),
    deliveredTextArray(transactions, 'account'),
    deliveredTextArray(transactions, 'corridor'),
    int2Array(decisions.map((decision) => decision.score)),
    float8Array(decisions.map((decision) => decision.risk)),
    float8Array(decisions.map((decision) => decision.probability)),
    textArray(decisions.map((decision) => decision.verdict)),
    textArray(
      decisions.map(({ reasons }) => (reasons.length === 0 ? '[]' : JSON.stringify(reasons))),
    ),
    byteaArray(packVectors(rows.map((row) => row.features))),
    textArray(rows.map((row) => row.model)),
    int2Array(rows.map((row) => row.attempts)),
    int2Array(rows.map((row) => row.degradation)),
    int4Array(rows.map((row) => vectorChecksum(row.features, row.ruleInputs))),
    // Without an array every row gets null, and nothing is encoded.
    rows.some((row) => row.ruleInputs !== null)
      ? textArray(rows.map((row) => row.ruleInputs && JSON.stringify(row.ruleInputs)))
      : null,
  ];
}
