/** A stored score by its id. Every statement names created_at, so it touches one partition. */
import { uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database } from '../../../kit/database/pool.ts';
import {
  type Databases,
  isFound,
  readFrom,
} from '../../../kit/database/replica/choose-database.ts';
import type { Position } from '../../../kit/words/cursor.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { featuresOf } from '../../domain/feature-schema.ts';
import {
  type RuleInputs,
  type ScoreJson,
  type ScoreRecord,
  toScoreJson,
} from '../../domain/score-record.ts';
import { createdAtMsOf } from '../../domain/transaction.ts';
import { isoTime } from '../partitions/month-slice.ts';
import { timeValues } from '../within-months.ts';
import { isIntact, toVector } from './score-values.ts';
import { SCORE_COLUMNS, type ScoreRow, toStoredScore } from './stored-scores.ts';

// The client is in the row of the transaction, which is read only where a client is given.
export const selectScore = {
  name: 'select-score',
  text: `select ${SCORE_COLUMNS} from market.scores s where s.transaction_id = $1 and s.created_at = $2
            and ($3::text is null or exists (
              select from market.transactions t where t.transaction_id = $1 and t.created_at = $2 and t.client = $3))`,
};

/**
 * The score that `GET /v1/scores/{id}` answers, if it is stored. A score never changes, so a replica that has it may answer.
 * @param client finds only this client's scores, as if no others existed; null finds all
 */
export async function findScore(
  databases: Databases,
  id: string,
  client: string | null = null,
): Promise<ScoreJson | undefined> {
  const createdAtMs = createdAtMsOf(id);
  if (createdAtMs === undefined) return undefined;
  const values = [id, isoTime(createdAtMs), client];
  const read = async ({ query }: Database) => (await query<ScoreRow>(selectScore, values))[0];
  const row = await readFrom(databases, createdAtMs, read, isFound);
  return row && toScoreJson(toStoredScore(row));
}

const selectScoreWithFeatures = {
  name: 'select-score-with-features',
  text: `select ${SCORE_COLUMNS}, s.features, s.feature_schema, s.rule_inputs, s.margin, s.scorecard, s.by_rules,
                s.features_crc32
           from market.scores s where s.transaction_id = $1 and s.created_at = $2`,
};

/** The score with its logged vector, for its explanation. @throws Failure for a vector of a schema that this version lacks */
export async function readScoreRecord(
  database: Pick<Database, 'query'>,
  id: string,
  createdAtMs: number,
): Promise<
  (ScoreRecord & { readonly featuresCrc32: number; readonly isVectorIntact: boolean }) | undefined
> {
  const [row] = await database.query<
    ScoreRow & {
      features: Buffer;
      feature_schema: number;
      rule_inputs: RuleInputs | null;
      margin: number | null;
      scorecard: number | null;
      by_rules: number | null;
      features_crc32: number;
    }
  >(selectScoreWithFeatures, [id, isoTime(createdAtMs)]);
  if (row === undefined) return undefined;
  if (featuresOf(row.feature_schema) === undefined) {
    const why = `the score was made with feature schema ${row.feature_schema}, which this version lacks`;
    throw new Failure('conflict', 'UNKNOWN_VERSION', why);
  }
  return {
    ...toStoredScore(row),
    features: toVector(row.features),
    featureSchema: row.feature_schema,
    ruleInputs: row.rule_inputs,
    margin: row.margin,
    scorecard: row.scorecard,
    byRules: row.by_rules,
    featuresCrc32: row.features_crc32,
    isVectorIntact: isIntact(row.features, row.rule_inputs, row.features_crc32),
  };
}

const selectVectors = {
  name: 'select-vectors',
  text: `select s.created_at, s.features
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
           join market.scores s on s.transaction_id = u.transaction_id and s.created_at = u.created_at
          where s.created_at >= $3 and s.created_at <= $4
          order by s.created_at`,
};

/** The logged vectors of those that have a score, the oldest first. */
export async function readVectors(
  { query }: Pick<Database, 'query'>,
  positions: readonly Position[],
): Promise<readonly { readonly created_at: Date; readonly vector: Float64Array }[]> {
  if (positions.length === 0) return [];
  const rows = await query<{ created_at: Date; features: Buffer }>(selectVectors, [
    uuidArray(positions.map(({ id }) => id)),
    ...timeValues(positions.map(({ atMs }) => atMs)),
  ]);
  return rows.map(({ created_at, features }) => ({ created_at, vector: toVector(features) }));
}
