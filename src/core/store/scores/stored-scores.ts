/** Scores, read side: stored rows without what was logged. */
import { uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database, Statement } from '../../../kit/database/pool.ts';
import type { LoggedField, ScoreJson, ScoreRecord } from '../../domain/score-record.ts';
import { timeValues } from '../within-months.ts';

/** A stored score without what was decided on. */
export type StoredScore = Omit<ScoreRecord, LoggedField>;

/** The columns of a ScoreRow. */
export const SCORE_COLUMNS = `s.transaction_id, s.created_at, s.scored_at, s.account_id, s.corridor, s.score, s.risk,
  s.probability, s.verdict, s.reasons, s.rule_set, s.model, s.attempts, s.degradation`;

const readStatement: Statement = {
  name: 'read-stored-scores',
  text: `select ${SCORE_COLUMNS}
           from unnest($1::uuid[], $2::timestamptz[]) as p (transaction_id, created_at)
           join market.scores s using (transaction_id, created_at)
          where s.created_at between $3 and $4`,
};

/** A row of `scores` without its vector. */
export type ScoreRow = Omit<ScoreJson, 'created_at' | 'scored_at'> & {
  readonly created_at: Date;
  readonly scored_at: Date;
};

/** The stored scores among these transactions, by id. */
export async function readStoredScores(
  database: Pick<Database, 'query'>,
  transactions: readonly { readonly transactionId: string; readonly createdAtMs: number }[],
): Promise<Map<string, StoredScore>> {
  if (transactions.length === 0) return new Map();
  const rows = await database.query<ScoreRow>(readStatement, [
    uuidArray(transactions.map(({ transactionId }) => transactionId)),
    ...timeValues(transactions.map(({ createdAtMs }) => createdAtMs)),
  ]);
  return new Map(rows.map((row) => [row.transaction_id, toStoredScore(row)]));
}

export function toStoredScore(row: ScoreRow): StoredScore {
  return {
    transactionId: row.transaction_id,
    createdAtMs: row.created_at.getTime(),
    scoredAtMs: row.scored_at.getTime(),
    accountId: row.account_id,
    corridor: row.corridor,
    score: row.score,
    risk: row.risk,
    probability: row.probability,
    verdict: row.verdict,
    reasons: row.reasons,
    ruleSet: row.rule_set,
    model: row.model,
    attempts: row.attempts,
    degradation: row.degradation,
  };
}
