/**
 * Scores, write side: one statement a batch, written once. What an insert does not return was stored
 * before, by another delivery of the same transaction; then the stored score is what counts.
 */
import { Failure } from '../domain/failure.ts';
import type { Decision, ScoreRecord } from '../domain/score-record.ts';
import {
  float8Array,
  float8Rows,
  int2Array,
  textArray,
  timestampArray,
  uuidArray,
} from './binary-array.ts';
import type { createPartitionGuard } from './partitions.ts';
import { sqlStateOf } from './pg-failure.ts';
import type { Database, Statement } from './pool.ts';

/** One score to be stored. `features` has the same length in all rows of an insert. */
export type NewScore = {
  readonly transactionId: string;
  readonly createdAtMs: number;
  readonly accountId: string;
  readonly corridor: string;
  readonly decision: Decision;
  readonly features: Float64Array;
  readonly attempts: number;
};

/** What all scores of one insert have in common. */
export type ScoreLineage = {
  readonly scoredAtMs: number;
  readonly featureSchema: number;
  readonly ruleSet: string;
  readonly model: string | null;
  readonly degradation: number;
};

/** A stored score without its vector. */
export type StoredScore = Omit<ScoreRecord, 'features' | 'featureSchema'>;

// All vectors travel as one flat array and are sliced by row, so no value is escaped or parsed as text.
// Ids come back only when some were stored before: a row each would cost more than the whole request.
const insertStatement: Statement = {
  name: 'insert-scores',
  text: `with won as (
         insert into scores (transaction_id, created_at, scored_at, account_id, corridor, score, risk,
             probability, verdict, reasons, features, feature_schema, rule_set, model, attempts, degradation)
         select transaction_id, created_at, to_timestamp($10::float8 / 1000), account_id, corridor, score,
                risk, probability, verdict, reasons::jsonb,
                ($11::float8[])[(row - 1) * $12::int + 1 : row * $12::int],
                $13::smallint, $14::text, $15::text, attempts, $16::smallint
           from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::smallint[], $6::float8[],
                       $7::float8[], $8::text[], $9::text[], $17::smallint[]) with ordinality
                as s (transaction_id, created_at, account_id, corridor, score, risk, probability, verdict,
                      reasons, attempts, row)
         on conflict (transaction_id, created_at) do nothing
         returning transaction_id)
         select count(*)::int as won,
                case when count(*) < cardinality($1::uuid[]) then array_agg(transaction_id::text) end as ids
           from won`,
};

/** Inserts in one order, so that overlapping batches cannot deadlock; returns the ids that are new. */
export async function insertScores(
  database: Pick<Database, 'query'>,
  scores: readonly NewScore[],
  lineage: ScoreLineage,
): Promise<Set<string>> {
  if (scores.length === 0) return new Set();
  const rows = [...scores].sort(
    (a, b) => a.createdAtMs - b.createdAtMs || (a.transactionId < b.transactionId ? -1 : 1),
  );
  const decisions = rows.map((row) => row.decision);
  const length = rows[0]?.features.length ?? 0;
  const [inserted] = await database.query<{ won: number; ids: string[] | null }>(insertStatement, [
    uuidArray(rows.map((row) => row.transactionId)),
    timestampArray(rows.map((row) => row.createdAtMs)),
    textArray(rows.map((row) => row.accountId)),
    textArray(rows.map((row) => row.corridor)),
    int2Array(decisions.map((decision) => decision.score)),
    float8Array(decisions.map((decision) => decision.risk)),
    float8Array(decisions.map((decision) => decision.probability)),
    textArray(decisions.map((decision) => decision.verdict)),
    textArray(
      decisions.map(({ reasons }) => (reasons.length === 0 ? '[]' : JSON.stringify(reasons))),
    ),
    lineage.scoredAtMs,
    float8Rows(rows.map((row) => row.features)),
    length,
    lineage.featureSchema,
    lineage.ruleSet,
    lineage.model,
    lineage.degradation,
    int2Array(rows.map((row) => row.attempts)),
  ]);
  if (inserted === undefined) throw new Error('an aggregate has one row');
  return new Set(
    inserted.won === rows.length ? rows.map((row) => row.transactionId) : inserted.ids,
  );
}

export type InsertScores = (
  scores: readonly NewScore[],
  lineage: ScoreLineage,
) => Promise<Set<string>>;

/** Makes missing partitions first; one that was dropped behind our back is made once more. */
export function createInsertScores(
  database: Pick<Database, 'query'>,
  partitions: ReturnType<typeof createPartitionGuard>,
): InsertScores {
  return async (scores, lineage) => {
    const ensure = () => partitions.ensure(scores.map(({ createdAtMs }) => createdAtMs));
    await ensure();
    try {
      return await insertScores(database, scores, lineage);
    } catch (error) {
      if (!isPartitionMissing(error)) throw error;
      partitions.forget();
      await ensure();
      return await insertScores(database, scores, lineage);
    }
  };
}

/** A check violation too, but of nobody's data. */
function isPartitionMissing(error: unknown): boolean {
  return (
    error instanceof Failure &&
    sqlStateOf(error) === '23514' &&
    error.message.startsWith('no partition of relation')
  );
}

const readStatement: Statement = {
  name: 'read-stored-scores',
  text: `select s.transaction_id, s.created_at, s.scored_at, s.account_id, s.corridor, s.score, s.risk,
                s.probability, s.verdict, s.reasons, s.rule_set, s.model, s.attempts, s.degradation
           from unnest($1::uuid[], $2::timestamptz[]) as p (transaction_id, created_at)
           join scores s using (transaction_id, created_at)`,
};

/** A row of `scores` without its vector. */
export type ScoreRow = {
  transaction_id: string;
  created_at: Date;
  scored_at: Date;
  account_id: string;
  corridor: string;
  score: number;
  risk: number;
  probability: number | null;
  verdict: Decision['verdict'];
  reasons: Decision['reasons'];
  rule_set: string;
  model: string | null;
  attempts: number;
  degradation: number;
};

/** The stored scores among these transactions, by id. */
export async function readStoredScores(
  database: Pick<Database, 'query'>,
  transactions: readonly { readonly transactionId: string; readonly createdAtMs: number }[],
): Promise<Map<string, StoredScore>> {
  if (transactions.length === 0) return new Map();
  const rows = await database.query<ScoreRow>(readStatement, [
    uuidArray(transactions.map(({ transactionId }) => transactionId)),
    timestampArray(transactions.map(({ createdAtMs }) => createdAtMs)),
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
